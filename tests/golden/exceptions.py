"""What of the golden files no test reads, each with its reason."""

# Files of methods that are not implemented. They are listed, and not checked until a test reads one.
NOT_IMPLEMENTED = {
    'hybrid_depth_manydepth': "Hybrid-depth's student of several frames",
    'manydepth_data': 'ManyDepth',
    'manydepth_encoder': 'ManyDepth',
    'manydepth_inference': 'ManyDepth',
    'manydepth_rules': 'ManyDepth',
    'manydepth_train': 'ManyDepth',
    'manydepth_variants': 'ManyDepth',
    'mono_vifi_data': 'Mono-ViFI',
    'mono_vifi_depth_*': 'Mono-ViFI',
    'mono_vifi_rules': 'Mono-ViFI',
    'mono_vifi_train': 'Mono-ViFI',
    'mono_vifi_variants': 'Mono-ViFI',
    'mono_vifi_vfi': 'Mono-ViFI',
}

# Keys (patterns) of files that are implemented.
EXCEPTIONS: dict[str, dict[str, str]] = {}
