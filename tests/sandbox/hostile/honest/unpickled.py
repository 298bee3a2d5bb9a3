"""pickle and copy of a program's own classes."""
import copy
import pickle


class Point:
    def __init__(self, x):
        self.x = x


print(pickle.loads(pickle.dumps(Point(4))).x, copy.deepcopy([Point(5)])[0].x, Point.__module__)
