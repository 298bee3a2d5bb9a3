"""Dataclasses, enums, abstract classes, properties, generics."""
import abc
import dataclasses
import enum
import typing


class Kind(enum.Enum):
    A = 1


class Shape(abc.ABC):
    @abc.abstractmethod
    def area(self) -> float: ...


@dataclasses.dataclass(order=True)
class Square(Shape):
    side: float
    kind: Kind = dataclasses.field(default=Kind.A, compare=False)

    def area(self) -> float:
        return self.side**2


print(Square(2).area(), sorted([Square(3), Square(1)])[0], typing.get_type_hints(Square)["side"])
