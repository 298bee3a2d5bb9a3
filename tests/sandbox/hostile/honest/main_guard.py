"""A script with a main function."""
import sys


def main():
    print("main", sys.argv, __name__)
    return 0


if __name__ == "__main__":
    sys.exit(main())
