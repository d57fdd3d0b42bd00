"""The attributes of a face in MTFL, and the number of classes of each."""

ATTRIBUTES = {"gender": 2, "smile": 2, "glasses": 2, "pose": 5}
