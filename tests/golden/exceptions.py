"""Golden arrays that no test reads, with reasons."""

# Files of methods that are not implemented: listed, and not checked until a test reads one.
NOT_IMPLEMENTED = {}

_OCCUPANCY = 'input of the occupancy head, which is not implemented'
_POSE_INPUT = 'pose nets here see two frames, not three'
# Keys (patterns) of files that are implemented. Patterns without a match fail too.
EXCEPTIONS: dict[str, dict[str, str]] = {
    'bevdet_ida': {'intrinsics': 'text recorded instead of an array'},
    'fb_bev_fbocc': {
        '*.encoder0*': _OCCUPANCY,
        '*.neck*': _OCCUPANCY,
        '*.occupancy*': _OCCUPANCY,
    },
    'monodepth2_layers': {
        'monitor': 'printed by the release in training; here validation uses the protocols',
    },
    'monodepth2_nets': {
        'noskip.*': 'a decoder without skips and with two outputs is not implemented',
    },
    'monodepth2_variants': {
        'pose_all.*': _POSE_INPUT,
        'posecnn_all.*': _POSE_INPUT,
        'predictive_mask.*': 'an alternative to the auto-mask that is not implemented',
    },
}
