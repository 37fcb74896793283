import { open, mkdir, readFile, rename } from "node:fs/promises";
import { join } from "node:path";

/** Where positions in the live stream are kept. Over SQL the database has them. */
export interface Offsets {
  load(name: string): Promise<string | undefined>;
  /** Done when it would survive a crash. */
  save(name: string, position: string): Promise<void>;
}

/** A file for each position, in this directory. */
export function fileOffsets(directory: string): Offsets {
  const path = (name: string): string => join(directory, `${encodeURIComponent(name)}.offset`);
  return {
    async load(name) {
      try {
        return (await readFile(path(name), "utf8")).trim();
      } catch (error) {
        if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
        throw error;
      }
    },
    async save(name, position) {
      await mkdir(directory, { recursive: true });
      const fresh = `${path(name)}.new`;
      const file = await open(fresh, "w", 0o600);
      try {
        await file.writeFile(`${position}\n`);
        // Else a machine that loses its power may keep the new name without what is in the file.
        await file.datasync();
      } finally {
        await file.close();
      }
      await rename(fresh, path(name));
    },
  };
}
