"""A process and a queue."""
import multiprocessing


def work(queue):
    queue.put(42)


queue = multiprocessing.Queue()
process = multiprocessing.get_context("fork").Process(target=work, args=(queue,))
process.start()
print(queue.get())
process.join()
