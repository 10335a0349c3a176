# a test suite that is run by the program itself
# stderr = ["Ran 3 tests", "FAILED (failures=1)"]
import sys
import unittest


class Arithmetic(unittest.TestCase):
    def setUp(self):
        self.numbers = [1, 2]

    def test_sum(self):
        self.assertEqual(sum(self.numbers), 3)

    def test_wrong(self):
        self.assertEqual(1, 2)

    def test_raises(self):
        with self.assertRaises(ZeroDivisionError):
            1 / 0


result = unittest.main(exit=False, argv=["x"]).result
print(result.testsRun, len(result.failures), result.wasSuccessful())
