"""nuScenes info files, and nuScenes cameras as video."""
