// Uploads a file with the official tus client: node resume.mjs FOLDER URL TOKEN FILE KILL
// FOLDER has tus-js-client installed. After a part has been accepted the node's HTTP server is to be killed: a line
// "kill" on stdout asks for it. The last line is the song's id.
import { createRequire } from "node:module";
import { createReadStream, statSync } from "node:fs";

const [folder, url, token, file] = process.argv.slice(2);
const tus = createRequire(folder + "/")("tus-js-client");
const size = statSync(file).size;
let asked = false;
let song = "";

const upload = new tus.Upload(createReadStream(file), {
  endpoint: url,
  uploadSize: size,
  chunkSize: 1 << 20,
  retryDelays: Array(60).fill(500),
  headers: { Authorization: `Bearer ${token}` },
  metadata: { filename: "resumed.wav" },
  onAfterResponse: (_, answer) => { song = answer.getHeader("Upload-Song") || song; },
  onChunkComplete: (_, accepted) => {
    if (!asked && accepted > size / 3) {
      asked = true;
      console.log("kill");
    }
  },
  onError: (error) => { console.error(String(error)); process.exit(1); },
  onSuccess: () => { console.log(song); process.exit(0); },
});
upload.start();
