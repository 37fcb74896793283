// @ts-check
// Whether anybody takes commands. Pure.

/** @import { Fleet } from './api.js' */

/**
 * Why nothing connects or pairs now, and what ends that, without a full stop; empty if a daemon works.
 * @param {Pick<Fleet, 'daemons'> | null} fleet
 */
export function standstill(fleet) {
  if (!fleet) return '';
  if (fleet.daemons.length === 0) return 'No daemon is running: commands wait until one does';
  if (!fleet.daemons.every(({ draining }) => draining)) return '';
  const who = fleet.daemons.length === 1 ? 'The daemon is drained' : 'Every daemon is drained';
  return `${who}: accounts are disconnected and commands wait until “paird drain --undo”`;
}
