/** Saving files: what goes wrong is said where it can be seen. */

import { toast } from "../ui.js";

/** Begin a download; a failure is told as a notice. */
export async function save(start) {
  try {
    await start();
  } catch (error) {
    toast(`Not saved: ${error.message}`, { kind: "error" });
  }
}
