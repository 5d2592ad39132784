"""What readers of real data share: files shipped in instances/data or the user's own, and a spec over them."""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import zlib
from collections.abc import Iterator
from functools import cached_property, lru_cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import ClassVar, NamedTuple, Self

from instances.errors import InstanceError, SpecError
from instances.matching import MatchingLP
from instances.spec import split_text, to_int


class Sizes(NamedTuple):
    """What a spec tells of its instance beforehand."""

    sources: int
    destinations: int
    """Rows of the first family."""
    edges: int
    nbytes: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class DataSpec:
    """A spec of an LP that a rule makes of data files.

    A subclass adds its fields, whole numbers or words, each with a default; they are the keys of its text. A field that
    the instance does not use is 0 or "", and left out of the text.
    """

    scheme: ClassVar[str]
    """The word before the colon, and the family in records."""
    folder: ClassVar[str]
    """Folder of instances/data with the files that are shipped."""
    rule: ClassVar[int] = 1
    """Raise when the rule makes other arrays of the same files: stored instances of older versions stop matching."""

    path: str = ""
    """Folder of the user's own files, under the same names; "" for the shipped ones."""

    def __post_init__(self) -> None:
        self.check()
        for name in self.files:
            self._file(name)

    @property
    def family(self) -> str:
        return self.scheme

    @property
    def files(self) -> tuple[str, ...]:
        """Names of the files that the instance is made of; each may lie there packed as NAME.gz."""
        raise NotImplementedError

    def check(self) -> None:
        """SpecError where the fields cannot be."""
        raise NotImplementedError

    def build(self) -> MatchingLP:
        """The instance; an InstanceError or a ValueError where the files are not what the rule needs."""
        raise NotImplementedError

    def sizes(self) -> Sizes:
        """Those of the built instance; a subclass whose instance is large or slow to build counts them beforehand."""
        return _built_sizes(self)

    @property
    def text(self) -> str:
        """Canonical text; `parse(spec.text) == spec`."""
        own = self._own_text
        return own if not self.path else f"{own}{'' if own.endswith(':') else ','}path={self.path}"

    @property
    def identity(self) -> str:
        return f"{self._own_text};rule {self.rule};{self._content}"

    @property
    def sources(self) -> int:
        return self.sizes().sources

    @property
    def destinations(self) -> int:
        return self.sizes().destinations

    @property
    def expected_edges(self) -> int:
        return self.sizes().edges

    @property
    def nbytes(self) -> int:
        return self.sizes().nbytes

    @classmethod
    def parse(cls, text: str) -> Self:
        """From "scheme:key=value,...,path=FOLDER"; everything after "path=" is the folder."""
        keys = {one.name: one for one in cls._keys()}
        own, _, path = text.strip().partition("path=")
        _, values = split_text(own, (*keys, "path"))
        of_type = {key: to_int(key, value) if keys[key].type == "int" else value for key, value in values.items()}
        return cls(path=path.strip(), **of_type)

    def read(self) -> MatchingLP:
        try:
            return self.build()
        except InstanceError:
            raise
        except (ValueError, IndexError, KeyError) as damage:
            raise InstanceError(f"{self._place} does not hold what {self.text} is made of: {damage}") from damage

    def content_of(self, name: str) -> bytes:
        """The unpacked bytes of one of `files`."""
        file = self._file(name)
        try:
            content = file.read_bytes()
            return gzip.decompress(content) if file.name.endswith(".gz") else content
        except (OSError, EOFError, zlib.error) as damage:
            raise InstanceError(f"{file} cannot be read ({damage}): put a whole copy there") from damage

    def has(self, name: str) -> bool:
        """Whether the file is there, packed or not."""
        return self._found(name) is not None

    @classmethod
    def _keys(cls) -> Iterator[dataclasses.Field[object]]:
        return (one for one in dataclasses.fields(cls) if one.name != "path")

    @property
    def _own_text(self) -> str:
        items = ",".join(f"{one.name}={getattr(self, one.name)}" for one in self._keys() if getattr(self, one.name))
        return f"{self.scheme}:{items}"

    @property
    def _place(self) -> Traversable:
        return Path(self.path) if self.path else resources.files("instances").joinpath("data", self.folder)

    @cached_property
    def _content(self) -> str:
        """A hash of the files, packed or not."""
        hashed = hashlib.sha256()
        for name in self.files:
            hashed.update(hashlib.sha256(self.content_of(name)).digest())
        return hashed.hexdigest()

    def _found(self, name: str) -> Traversable | None:
        files = (self._place.joinpath(candidate) for candidate in (name, f"{name}.gz"))
        return next((file for file in files if file.is_file()), None)

    def _file(self, name: str) -> Traversable:
        file = self._found(name)
        if file is not None:
            return file
        if self.path:
            raise SpecError(f"{self.scheme}: {self.path} holds no {name} or {name}.gz: give a folder with it")
        raise SpecError(f"{self.scheme}: {name} is not shipped with the package: give path=FOLDER with {name}[.gz]")


@lru_cache
def _built_sizes(spec: DataSpec) -> Sizes:
    return sizes_of(spec.read())


def sizes_of(lp: MatchingLP) -> Sizes:
    return Sizes(lp.sources, lp.destinations, lp.edges, lp.nbytes)
