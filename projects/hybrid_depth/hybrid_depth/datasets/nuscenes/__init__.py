"""nuScenes tables as info files, and its cameras as video."""
