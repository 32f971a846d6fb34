"""KITTI raw recordings and odometry sequences."""
