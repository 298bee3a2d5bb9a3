"""Values and arrays that processes share."""
import multiprocessing

fork = multiprocessing.get_context("fork")


def work(value, array):
    with value.get_lock():
        value.value += 1
    array[0] = 7


value, array = fork.Value("i", 41), fork.Array("d", [1, 2])
process = fork.Process(target=work, args=(value, array))
process.start()
process.join()
print(value.value, array[:])
