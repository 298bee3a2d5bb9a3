"""needs numpy"""
import numpy as np

matrix = np.arange(6).reshape(2, 3)
print((matrix @ matrix.T).tolist(), float(np.linalg.norm([3, 4])), np.random.default_rng(0).integers(9) < 9)
