"""The lake: objects under keys, in a folder or a bucket. Logic above knows only these verbs."""

from .local import LakeError, LocalLake, StoredObject, open_lake

__all__ = ["LakeError", "LocalLake", "StoredObject", "open_lake"]
