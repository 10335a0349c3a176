# unittest.main decides the exit code
# exit = 1
# stderr = ["AssertionError: 1 != 2", "main.py", "FAILED"]
# stderr_lacks = ["glovebox_guest"]
import unittest


class Wrong(unittest.TestCase):
    def test_wrong(self):
        self.assertEqual(1, 2)


if __name__ == "__main__":
    unittest.main()
