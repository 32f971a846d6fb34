"""Detection metric of nuScenes, and depth of a detector per camera and range."""
