"""Hooks of depth trainings."""

from .freeze_teacher import FreezeTeacherHook

__all__ = ['FreezeTeacherHook']
