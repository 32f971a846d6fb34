"""nuScenes detection metric, and depth metrics of a detector per camera and range."""
