// Keypoints of faces by ONNX Runtime, in as many passes as the predictor makes.

import { INPUT, boxSquare, inputCrop, secondSquare } from "./crop.js";

// Boxes that a click on a face may mean, in shares of the picture's shorter side.
const CLICK_SIZES = [0.06, 0.09, 0.13, 0.19, 0.28, 0.4, 0.55, 0.75];

export class Locator {
  /**
   * ort: ONNX Runtime; session: its session of the exported network;
   * layout: the preset's `KeypointLayout` as JSON; refinements: most further passes.
   */
  constructor(ort, session, { layout, refinements }) {
    Object.assign(this, { ort, session, layout, refinements });
  }

  /** One pass: points (pixels of the picture), confidence, face score of each square. */
  async run(picture, squares) {
    const images = new Float32Array(squares.length * INPUT * INPUT);
    squares.forEach((square, i) => {
      const crop = inputCrop(picture, square, this.layout.square.context);
      images.set(crop, i * INPUT * INPUT);
    });
    const shape = [squares.length, INPUT, INPUT, 1];
    const answer = await this.session.run({
      images: new this.ort.Tensor("float32", images, shape),
    });
    const count = this.layout.names.length;
    return squares.map(([left, top, side], i) => ({
      square: squares[i],
      keypoints: Array.from({ length: count }, (_, k) => {
        const at = 2 * (i * count + k);
        const [x, y] = answer.keypoints.data.slice(at, at + 2);
        return [left + (x * side) / INPUT, top + (y * side) / INPUT];
      }),
      confidence: Array.from(
        answer.confidence.data.slice(i * count, (i + 1) * count),
      ),
      score: answer.face_score.data[i],
    }));
  }

  secondSquare(picture, { keypoints, square }) {
    const { width, height } = picture;
    return secondSquare(keypoints, this.layout.square, square, width, height);
  }

  /** Further passes, as long as the points of the last one move the square. */
  async refine(picture, face) {
    for (let pass = 0; pass < this.refinements; pass++) {
      const square = this.secondSquare(picture, face);
      if (square === face.square) break;
      [face] = await this.run(picture, [square]);
    }
    return face;
  }

  /** The face of the last frame in the next one. */
  async follow(picture, face) {
    return (await this.run(picture, [this.secondSquare(picture, face)]))[0];
  }

  /** The face in a box [x0, y0, x1, y1]. */
  async inBox(picture, box) {
    const square = boxSquare(box, this.layout.detector_square);
    return this.refine(picture, (await this.run(picture, [square]))[0]);
  }

  /** The face at a point: of boxes of several sizes the one of highest confidence. */
  async at(picture, x, y) {
    const shorter = Math.min(picture.width, picture.height);
    const squares = CLICK_SIZES.map((size) => {
      const half = (size * shorter) / 2;
      const box = [x - half, y - half, x + half, y + half];
      return boxSquare(box, this.layout.detector_square);
    });
    const faces = await this.run(picture, squares);
    const mean = (face) => face.confidence.reduce((sum, c) => sum + c, 0);
    faces.sort((one, other) => mean(other) - mean(one));
    return this.refine(picture, faces[0]);
  }
}
