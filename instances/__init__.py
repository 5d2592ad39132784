"""Matching LPs: what an instance is, how it is specified, generated, read and stored."""

from instances.available import available_memory
from instances.content import content_hash
from instances.errors import InputError, InstanceError, SpecError
from instances.evaluate import activities, objective, penalty_cost
from instances.explicit import ExplicitLP
from instances.families import family, family_names
from instances.generate import Shard, assembled, block_count, generate, generate_blocks
from instances.matching import MatchingLP
from instances.memory import entries_in_rows, memory_bytes, peak_memory_bytes
from instances.named import named_instances
from instances.per_source import PerSource
from instances.polytopes import Kind, Polytope
from instances.polytopes.box import Box
from instances.polytopes.box_cut import BoxCut
from instances.polytopes.simplex import Simplex
from instances.readers import parse_spec
from instances.readers.movielens import MovieLensSpec
from instances.readers.mps import FileReport, MpsSpec, read_mps
from instances.readers.parquet import ParquetSpec, read_parquet, write_parquet
from instances.row_kinds import RowKind
from instances.rows import RaggedRows, Rows
from instances.spec import MatchingSpec, ReadableSpec, Spec, digest, in_blocks
from instances.staying import EdgeKeys, Stayed, stayed, stayed_sources
from instances.store import stored
from instances.tables import Problem, Stated

__all__ = [
    "Box",
    "BoxCut",
    "EdgeKeys",
    "ExplicitLP",
    "FileReport",
    "InputError",
    "InstanceError",
    "Kind",
    "MatchingLP",
    "MatchingSpec",
    "MovieLensSpec",
    "MpsSpec",
    "ParquetSpec",
    "PerSource",
    "Polytope",
    "Problem",
    "RaggedRows",
    "ReadableSpec",
    "RowKind",
    "Rows",
    "Shard",
    "Simplex",
    "Spec",
    "SpecError",
    "Stated",
    "Stayed",
    "activities",
    "assembled",
    "available_memory",
    "block_count",
    "content_hash",
    "digest",
    "entries_in_rows",
    "family",
    "family_names",
    "generate",
    "generate_blocks",
    "in_blocks",
    "memory_bytes",
    "named_instances",
    "objective",
    "parse_spec",
    "peak_memory_bytes",
    "penalty_cost",
    "read_mps",
    "read_parquet",
    "stayed",
    "stayed_sources",
    "stored",
    "write_parquet",
]
