/** Files as a tree of folders, and what of it is seen as a list of lines. */

export interface File {
  name: string;
  path: string;
  size: number;
}

export interface Folder extends File {
  /** How many files are in it and below. */
  count: number;
  folders: Map<string, Folder>;
  files: File[];
}

export interface Line {
  item: File | Folder;
  isFolder: boolean;
  isOpen: boolean;
  /** From 1. */
  level: number;
  /** Its place among those beside it, from 1, and how many they are. */
  place: number;
  of: number;
}

const folderOf = (name: string, path: string): Folder => ({
  name,
  path,
  size: 0,
  count: 0,
  folders: new Map(),
  files: [],
});

export function treeOf(files: Iterable<readonly [string, number]>): Folder {
  const root = folderOf("", "");
  for (const [path, size] of files) {
    const names = path.split("/");
    const name = names.pop() ?? "";
    let folder = root;
    folder.size += size;
    folder.count += 1;
    for (const part of names) {
      let next = folder.folders.get(part);
      if (!next) {
        next = folderOf(part, folder.path === "" ? part : `${folder.path}/${part}`);
        folder.folders.set(part, next);
      }
      folder = next;
      folder.size += size;
      folder.count += 1;
    }
    folder.files.push({ name, path, size });
  }
  return root;
}

/** What comes before what: with numbers by their value. A text that is compared as it is takes a tenth of a collator's time. */
const keyOf = (name: string): string =>
  name.toLowerCase().replace(/\d+/g, (digits) => digits.padStart(12, "0"));

function sorted<T extends File>(items: Iterable<T>): T[] {
  return [...items]
    .map((item) => ({ item, key: keyOf(item.name) }))
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map(({ item }) => item);
}

/** The lines that are seen when these folders are open: of each folder first the folders, then the files. */
export function linesOf(root: Folder, isOpen: (folder: Folder) => boolean): Line[] {
  const lines: Line[] = [];
  const walk = (folder: Folder, level: number) => {
    const of = folder.folders.size + folder.files.length;
    let place = 0;
    for (const item of sorted(folder.folders.values())) {
      const open = isOpen(item);
      place += 1;
      lines.push({ item, isFolder: true, isOpen: open, level, place, of });
      if (open) walk(item, level + 1);
    }
    for (const item of sorted(folder.files)) {
      place += 1;
      lines.push({ item, isFolder: false, isOpen: false, level, place, of });
    }
  };
  walk(root, 1);
  return lines;
}
