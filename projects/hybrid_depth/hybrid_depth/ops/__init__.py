"""BEV pooling behind one function with back-ends."""

from .bev_pool import PoolingPlan, bev_pool

__all__ = ['PoolingPlan', 'bev_pool']
