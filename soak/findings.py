"""What a long run has shown: figures to read, and what must not have happened."""

from dataclasses import dataclass, field


@dataclass
class Findings:
    """``figures`` by name in the order found; ``violations`` in words, empty when all is well."""

    figures: dict[str, object] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)

    def require(self, holds: bool, otherwise: str) -> None:
        """Something that must be so."""
        if not holds:
            self.violations.append(otherwise)

    def text(self, title: str) -> str:
        lines = [f"\n{title}: {'VIOLATED' if self.violations else 'all as it must be'}"]
        lines += [f"  {name:44} {value}" for name, value in self.figures.items()]
        return "\n".join([*lines, *(f"  ! {violation}" for violation in self.violations)])
