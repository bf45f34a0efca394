/** Putting something aside, with the way back at hand: the same for episodes and findings. */

import { announce, toast } from "../ui.js";

/**
 * Dismiss or restore one thing: `change({api, path, site, isDismissed, onChange, messages})`.
 * `onChange(isDismissed)` is called at once, so that the page follows the hand, and again with the old value if the
 * server refuses. `messages` is what the notice says: `{dismissed, restored}`.
 */
export async function change({ api, path, site, isDismissed, onChange, messages }) {
  onChange(isDismissed);
  try {
    await api.send(isDismissed ? "PUT" : "DELETE", path, { site });
  } catch (error) {
    onChange(!isDismissed);
    toast(error.message, {
      kind: "error",
      action: { label: "Try again", run: () => change({ api, path, site, isDismissed, onChange, messages }) },
    });
    return;
  }
  if (isDismissed) {
    toast(messages.dismissed, {
      action: { label: "Undo", run: () => change({ api, path, site, isDismissed: false, onChange, messages }) },
    });
  } else {
    announce(messages.restored);
  }
}
