// Every text of the build again as .br and .gz: a node sends them as they are.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'

const SMALL = 1024 // bytes: below, headers weigh more than what is saved
const WORTH = /\.(html|js|css|json|webmanifest|svg|txt)$/
const [folder] = process.argv.slice(2)
const [first, sum] = [{ js: 0, css: 0 }, { gz: 0 }]
const page = readFileSync(`${folder}/index.html`, 'utf8')
for (const name of readdirSync(folder, { recursive: true })) {
  if (!WORTH.test(name)) continue
  const data = readFileSync(`${folder}/${name}`)
  if (data.length < SMALL) continue
  const gz = gzipSync(data, { level: 9 })
  writeFileSync(`${folder}/${name}.gz`, gz)
  writeFileSync(`${folder}/${name}.br`, brotliCompressSync(data, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }))
  sum.gz += gz.length
  if (page.includes(`/${name}`)) first[name.endsWith('.css') ? 'css' : 'js'] += gz.length
}
const LIMIT = 200_000 // bytes, gzipped, that a first visit may need
const total = first.js + first.css
console.log(`first load ${total} bytes gzipped (scripts ${first.js}, style ${first.css}), all ${sum.gz}`)
if (total > LIMIT) {
  console.error(`the first load is over ${LIMIT} bytes`)
  process.exit(1)
}
