"""Models on a device."""

import pytest
import torch

from hybrid_depth.devices import DeviceError, for_inference


def test_the_model_is_in_evaluation_mode():
    assert not for_inference(torch.nn.Dropout(), 'cpu').training


@pytest.mark.parametrize('device', ['cuda:99', 'gpu'])
def test_an_unusable_device_is_an_error_for_the_user(device):
    with pytest.raises(DeviceError, match=rf'got {device}: [^$]*hybrid_depth.env reports'):
        for_inference(torch.nn.Linear(1, 1), device)
