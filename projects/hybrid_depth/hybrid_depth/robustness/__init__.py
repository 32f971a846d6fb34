"""Reports of how scores change under image corruptions, calibration errors and other rigs."""
