"""A program that tests itself, and prints how it went."""
import unittest


class Test(unittest.TestCase):
    def test_sum(self):
        self.assertEqual(1 + 1, 2)


print(unittest.TextTestRunner(stream=open("/dev/null", "w")).run(unittest.defaultTestLoader.loadTestsFromTestCase(Test)))
