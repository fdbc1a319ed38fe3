// A photo on its way, in pieces (tus 1.0): what has arrived stays, so that a link that breaks every few seconds still gets it
// through, and another start of the app (or another phone with the same photo) goes on where this one was cut.
//
// A piece is as large as goes through in a few seconds: it grows on a good link and shrinks with every cut, down to 8 KB. What
// of a cut piece had arrived is kept too; that nothing was damaged on the way, the hash of the whole says at the end.
import "/static/vendor/tus.min.js";
import { Problem } from "/frontend/common/dom.mjs";
import { NoSignal } from "./api.mjs";
import { patience, piece } from "./backoff.mjs";
import { db, recall, remember } from "./db.mjs";

const { tus } = globalThis;
const ENDPOINT = "/api/v1/uploads";
const ANEW = [404, 409, 460]; // gone, moved on, or damaged on the way: ask where it stands, and go on
const TRIES = 4;

/** Send a photo; returns when the server has it whole, under its hash. Throws `NoSignal` or `Problem`. */
export async function sendPieces(photo) {
  for (let tries = 1; ; tries += 1) {
    try {
      return await once(photo);
    } catch (error) {
      if (!(error instanceof Problem) || !ANEW.includes(error.status) || tries >= TRIES) throw error;
    }
  }
}

async function once(photo) {
  const token = await recall("token");
  let size = await recall("piece_bytes", piece(0, 0));
  const asked = Boolean((await db.photos.get(photo.id))?.begun); // it may be there in part: ask before the first byte
  await db.photos.update(photo.id, { begun: 1 });
  let began = performance.now();
  let timer = null;
  try {
    await new Promise((done, fail) => {
      const upload = new tus.Upload(photo.blob, {
        endpoint: ENDPOINT, uploadUrl: asked ? `${ENDPOINT}/${photo.sha256}` : null, uploadSize: photo.size, chunkSize: size,
        metadata: { sha256: photo.sha256, filename: photo.name }, headers: { Authorization: `Bearer ${token}` },
        uploadDataDuringCreation: true, retryDelays: null, storeFingerprintForResuming: false, addRequestId: false,
        onBeforeRequest: () => { began = performance.now(); watch(); },
        onProgress: () => watch(),
        onChunkComplete: (bytes) => {
          size = piece(bytes, performance.now() - began);
          upload.options.chunkSize = size;
        },
        onSuccess: done,
        onError: (error) => fail(told(error)),
      });
      // Nothing moves: a broken line is not always told to a page.
      const watch = () => {
        clearTimeout(timer);
        timer = setTimeout(() => { upload.abort(); fail(new NoSignal("the link stands still")); }, patience(size));
      };
      upload.start();
    });
    await remember("piece_bytes", size);
  } catch (error) {
    if (error instanceof NoSignal) await remember("piece_bytes", piece(size / 2, 0));
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

function told(error) {
  const answer = error.originalResponse;
  if (!answer || !answer.getStatus()) return new NoSignal(String(error.message ?? error));
  let data = {};
  try {
    data = JSON.parse(answer.getBody());
  } catch {
    data = { detail: `HTTP ${answer.getStatus()}` };
  }
  const problem = new Problem(data, answer.getStatus());
  problem.retryAfter = Number(answer.getHeader("Retry-After")) || 0;
  return problem;
}
