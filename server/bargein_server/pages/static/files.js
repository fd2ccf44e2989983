/** Recordings from this computer: files and folders, dropped or chosen. */

const KNOWN = new Set(["session.json", "inputs.jsonl", "events.jsonl", "user.wav", "agent.wav"]);

/** @typedef {{ path: string, file: File }} Found */

/**
 * Everything that was dropped, folders with all that is in them.
 * @param {DataTransfer} transfer
 * @returns {Promise<Found[]>}
 */
export async function entriesOf(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  if (entries.length === 0) return [...transfer.files].map((file) => ({ path: file.name, file }));
  return (await Promise.all(entries.map((entry) => walk(entry, "")))).flat();
}

/** @param {FileSystemEntry} entry @param {string} above @returns {Promise<Found[]>} */
async function walk(entry, above) {
  const path = above + entry.name;
  if (entry instanceof FileSystemFileEntry) {
    if (!KNOWN.has(entry.name)) return [];
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    return [{ path, file: /** @type {File} */ (file) }];
  }
  if (!(entry instanceof FileSystemDirectoryEntry)) return [];
  const reader = entry.createReader();
  /** @type {Found[]} */
  const found = [];
  for (;;) {
    /** @type {FileSystemEntry[]} */
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return found;
    for (const one of some) found.push(...(await walk(one, `${path}/`)));
  }
}

/**
 * The recordings among files: each folder that has a `session.json`.
 * @param {Found[]} found
 * @returns {{ name: string, files: Map<string, File> }[]}
 */
export function groupFiles(found) {
  /** @type {Map<string, Map<string, File>>} */
  const folders = new Map();
  for (const { path, file } of found) {
    const cut = path.lastIndexOf("/");
    const folder = path.slice(0, Math.max(cut, 0));
    if (!folders.has(folder)) folders.set(folder, new Map());
    folders.get(folder)?.set(path.slice(cut + 1), file);
  }
  return [...folders]
    .filter(([, files]) => files.has("session.json"))
    .map(([folder, files]) => ({ name: folder.split("/").at(-1) || "Recording", files }));
}
