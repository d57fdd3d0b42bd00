"""What MTFL tells of a face beside its keypoints, and into how many classes."""

ATTRIBUTES = {"gender": 2, "smile": 2, "glasses": 2, "pose": 5}
