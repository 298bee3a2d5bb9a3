"""An exit status whose text raises."""


class Bad:
    def __str__(self):
        raise SystemExit(0)


raise SystemExit(Bad())
