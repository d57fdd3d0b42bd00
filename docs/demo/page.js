// The page: a photograph or the camera in, points and confidence drawn.

import * as ort from "./vendor/ort.wasm.min.mjs";
import { grayOf } from "./crop.js";
import { Locator } from "./locator.js";

const here = (path) => new URL(path, import.meta.url).href;
const element = (id) => document.getElementById(`demo-${id}`);
const canvas = element("canvas");
const context = canvas.getContext("2d", { willReadFrequently: true });
const state = { image: null, picture: null, faces: [], locator: null, video: null };

const say = (text) => (element("status").textContent = text);

async function load() {
  ort.env.wasm.wasmPaths = here("./vendor/");
  ort.env.wasm.numThreads = 1; // More need headers that a plain server does not send.
  const [session, preset] = await Promise.all([
    ort.InferenceSession.create(here("./vendor/rcn6_mtfl.onnx")),
    fetch(here("./vendor/preset.json")).then((response) => response.json()),
  ]);
  state.locator = new Locator(ort, session, preset);
  await state.locator.inBox(black(), [20, 20, 60, 60]); // the first run is slow
  say("Ready: choose a photograph, then click a face or drag a box around it.");
}

const black = () => ({ gray: new Float32Array(80 * 80), width: 80, height: 80 });

/** Takes a picture over into the canvas, at its own size. */
function show(image, width, height) {
  [canvas.width, canvas.height] = [width, height];
  context.drawImage(image, 0, 0);
  const rgba = context.getImageData(0, 0, width, height).data;
  state.image = image;
  state.picture = { gray: grayOf(rgba), width, height };
}

async function open(blob) {
  stopCamera();
  const bitmap = await createImageBitmap(blob);
  state.faces = [];
  show(bitmap, bitmap.width, bitmap.height);
  say("Click a face, or drag a box from the brows to the chin.");
}

/** Runs a search, adds its face and reports the time that it took. */
async function find(search) {
  if (!state.locator || !state.picture) return;
  const { image } = state;
  const started = performance.now();
  const face = await search(state.locator, state.picture);
  const milliseconds = performance.now() - started;
  if (state.image !== image) return; // Another photograph was opened meanwhile.
  state.faces = state.video ? [face] : [...state.faces, face];
  draw();
  report(milliseconds);
}

function report(milliseconds) {
  const { keypoints, confidence, score } = state.faces.at(-1);
  const doubt = score < 0.5 ? "Probably no face here. " : "";
  say(`${doubt}${milliseconds.toFixed(1)} ms for this face, crop and network.`);
  const rows = state.locator.layout.names.map((name, k) => [
    name,
    ...keypoints[k].map((value) => value.toFixed(3)),
    confidence[k].toFixed(4),
  ]);
  rows.unshift(["", "x", "y", "confidence"]);
  // NaN of a network whose face score was not calibrated.
  rows.push(["face score", "", "", Number.isNaN(score) ? "unknown" : score.toFixed(4)]);
  element("result").replaceChildren(...rows.map(tableRow));
}

function tableRow(texts) {
  const row = document.createElement("tr");
  for (const text of texts) row.insertCell().textContent = text;
  return row;
}

function draw(box) {
  context.drawImage(state.image, 0, 0);
  const scale = Math.max(1, canvas.width / canvas.clientWidth);
  context.lineWidth = 2 * scale;
  for (const { keypoints, confidence } of state.faces) {
    keypoints.forEach(([x, y], k) => {
      context.beginPath();
      context.arc(x, y, 4 * scale, 0, 2 * Math.PI);
      // Red at 0, green at 1.
      context.fillStyle = `hsl(${120 * confidence[k]} 90% 45%)`;
      context.fill();
      context.strokeStyle = "white";
      context.stroke();
    });
  }
  if (box) {
    context.strokeStyle = "yellow";
    context.strokeRect(box[0], box[1], box[2] - box[0], box[3] - box[1]);
  }
}

function position(event) {
  const area = canvas.getBoundingClientRect();
  return [
    ((event.clientX - area.left) * canvas.width) / area.width,
    ((event.clientY - area.top) * canvas.height) / area.height,
  ];
}

function boxOf([x, y], [u, v]) {
  return [Math.min(x, u), Math.min(y, v), Math.max(x, u), Math.max(y, v)];
}

let pressed = null;
canvas.addEventListener("pointerdown", (event) => {
  if (!state.picture) return;
  pressed = position(event);
  canvas.setPointerCapture(event.pointerId);
});
canvas.addEventListener("pointermove", (event) => {
  if (pressed && !state.video) draw(boxOf(pressed, position(event)));
});
canvas.addEventListener("pointercancel", () => (pressed = null));
canvas.addEventListener("pointerup", (event) => {
  const start = pressed;
  pressed = null;
  if (!start) return;
  const box = boxOf(start, position(event));
  const dragged = Math.min(box[2] - box[0], box[3] - box[1]) > canvas.width / 100;
  find((locator, picture) =>
    dragged ? locator.inBox(picture, box) : locator.at(picture, ...start),
  ).catch(failed);
});

element("file").addEventListener("change", (event) => {
  if (event.target.files[0]) open(event.target.files[0]).catch(failed);
});
element("example").addEventListener("click", () => example().catch(failed));

async function example() {
  const response = await fetch(here("../examples/astronaut.jpg"));
  await open(await response.blob());
}

element("camera").addEventListener("click", async () => {
  if (state.video) return stopCamera();
  try {
    const stream = await navigator.mediaDevices.getUserMedia({ video: true });
    state.video = document.createElement("video");
    Object.assign(state.video, { srcObject: stream, muted: true, playsInline: true });
    await state.video.play();
    state.faces = [];
    say("Click your face; it is followed from then on.");
    nextFrame();
  } catch (error) {
    stopCamera();
    failed(error);
  }
});

function stopCamera() {
  state.video?.srcObject.getTracks().forEach((track) => track.stop());
  state.video = null;
}

/** One frame of the camera: its face is sought where the last frame's was. */
async function frame() {
  if (!state.video) return;
  show(state.video, state.video.videoWidth, state.video.videoHeight);
  const [last] = state.faces;
  if (last) await find((locator, picture) => locator.follow(picture, last));
  nextFrame();
}

const nextFrame = () => requestAnimationFrame(() => frame().catch(failed));

function failed(error) {
  say(`This did not work: ${error.message}`);
}

/** `?box=x0,y0,x1,y1`: the example's face in that box, for links and for the tests. */
async function fromAddress() {
  const box = new URLSearchParams(location.search).get("box");
  if (!box) return;
  await example();
  await find((locator, picture) => locator.inBox(picture, box.split(",").map(Number)));
}

load().then(fromAddress).catch(failed);
