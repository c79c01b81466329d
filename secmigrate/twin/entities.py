"""moto's five kinds of things, with what moto leaves out of them."""

from __future__ import annotations

from typing import Any, Self

from moto.iam import models


class _Untracked:
    """Keeps instances out of moto's class-wide list, which would hold every twin's people until the process ends."""

    def __new__(cls, *_args: Any, **_kwargs: Any) -> Self:
        return object.__new__(cls)

    # moto leaves these abstract without ever minding; a twin knows no CloudFormation.
    @classmethod
    def _unused(cls, *_args: Any, **_kwargs: Any) -> Any:
        raise NotImplementedError

    is_created = has_cfn_attr = _unused
    update_from_cloudformation_json = delete_from_cloudformation_json = _unused


class User(_Untracked, models.User):
    """A user with tags of its own (moto looks them up in its global backend) and a permissions boundary."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.labels: dict[str, str] = {}
        self.permissions_boundary_arn: str | None = None


class Group(_Untracked, models.Group):
    """A group."""


class Role(_Untracked, models.Role):
    """A role; `labels` are its tags."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.labels: dict[str, str] = {}


class InstanceProfile(_Untracked, models.InstanceProfile):
    """An instance profile; `labels` are its tags."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.labels: dict[str, str] = {}


class Policy(_Untracked, models.ManagedPolicy):
    """A customer managed policy; `labels` are its tags (moto folds the case of their keys, IAM does not)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.labels: dict[str, str] = {}


class AWSPolicy(_Untracked, models.AWSManagedPolicy):
    """A policy that AWS manages."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.labels: dict[str, str] = {}


ManagedPolicy = Policy | AWSPolicy
Principal = User | Group | Role
