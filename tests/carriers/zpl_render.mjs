// Renders ZPL by zpl-renderer-js (zebrash in WebAssembly), which is not ours: each page of FILE.zpl
// becomes FILE.zpl.0.pgm, FILE.zpl.1.pgm, … Run where Node finds the package.
//
//   node zpl_render.mjs FILE.zpl…

import { createRequire } from "node:module";
import fs from "node:fs";
import zlib from "node:zlib";

const { ready } = createRequire(process.cwd() + "/")("zpl-renderer-js");
const { api } = await ready;

// PNG, 8 bits of grey, not interlaced: what the renderer writes. RFC 2083, sections 4 and 6.
function decodeGrey(png) {
  let at = 8, width = 0, height = 0;
  const parts = [];
  while (at < png.length) {
    const size = png.readUInt32BE(at), type = png.toString("latin1", at + 4, at + 8);
    const data = png.subarray(at + 8, at + 8 + size);
    if (type === "IHDR") {
      width = data.readUInt32BE(0);
      height = data.readUInt32BE(4);
      if (data[8] !== 8 || data[9] !== 0 || data[12] !== 0) throw new Error("not plain grey");
    }
    if (type === "IDAT") parts.push(data);
    at += size + 12;
  }
  const raw = zlib.inflateSync(Buffer.concat(parts));
  const pixels = Buffer.alloc(width * height);
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (width + 1)], row = y * width;
    for (let x = 0; x < width; x++) {
      const left = x > 0 ? pixels[row + x - 1] : 0;
      const up = y > 0 ? pixels[row - width + x] : 0;
      let added = filter === 1 ? left : filter === 2 ? up : filter === 3 ? (left + up) >> 1 : 0;
      if (filter === 4) {
        const corner = x > 0 && y > 0 ? pixels[row - width + x - 1] : 0;
        const a = Math.abs(up - corner), b = Math.abs(left - corner);
        const c = Math.abs(left + up - 2 * corner);
        added = a <= b && a <= c ? left : b <= c ? up : corner;
      }
      pixels[row + x] = raw[y * (width + 1) + 1 + x] + added;
    }
  }
  return Buffer.concat([Buffer.from(`P5\n${width} ${height}\n255\n`), pixels]);
}

for (const path of process.argv.slice(2)) {
  const zpl = fs.readFileSync(path, "utf8");
  const pages = await api.zplToBase64MultipleAsync(zpl, 101.5, 152.25, 8); // 8 dots a millimetre
  pages.forEach((page, i) =>
    fs.writeFileSync(`${path}.${i}.pgm`, decodeGrey(Buffer.from(page, "base64"))));
}
process.exit(0);
