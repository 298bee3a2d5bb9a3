"""Threads, a lock and a queue."""
import queue
import threading

total, lock, done = [0], threading.Lock(), queue.Queue()


def work(n):
    with lock:
        total[0] += n
    done.put(n)


workers = [threading.Thread(target=work, args=(n,)) for n in range(6)]
for worker in workers:
    worker.start()
for worker in workers:
    worker.join()
print(total[0], done.qsize())
