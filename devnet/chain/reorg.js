/** What is mined after a fork removed blocks: which of their transactions, in which blocks. */

/** @typedef {import("../wire/transaction.js").Transaction} Transaction */

/** How to treat the transactions of the removed blocks. */
export const HANDLINGS = /** @type {const} */ (["again", "reordered", "dropped"]);

/** @typedef {(typeof HANDLINGS)[number]} Handling */

/**
 * The other fork is one block longer, since the longer fork wins. Its first block is empty, so every block differs from
 * before.
 *
 * @param {Transaction[][]} gone the transactions of each removed block, oldest first
 * @param {Handling} handling
 * @returns {Transaction[][]} the transactions of each block to mine
 */
export function otherFork(gone, handling) {
  if (handling === "again") return [[], ...gone];
  if (handling === "dropped") return [[], ...gone.map(() => [])];
  let rest = reordered(gone.flat());
  return [
    [],
    ...gone.map(({ length }) => {
      const block = rest.slice(0, length);
      rest = rest.slice(length);
      return block;
    }),
  ];
}

/**
 * @param {Transaction[]} transactions in the order in which they were mined
 * @returns {Transaction[]} the transactions of the last account first, but those of one account in the order of their nonces
 */
function reordered(transactions) {
  /** @type {{accounts: Set<string>, members: number[]}[]} places of transactions whose nonces depend on each other */
  let groups = [];
  transactions.forEach(({ origin, sponsor }, place) => {
    const names = sponsor ? [origin.address, sponsor.address] : [origin.address];
    const joined = groups.filter(({ accounts }) => names.some((name) => accounts.has(name)));
    const accounts = new Set([...names, ...joined.flatMap((group) => [...group.accounts])]);
    const members = [...joined.flatMap((group) => group.members), place].sort((one, other) => one - other);
    groups = [...groups.filter((group) => !joined.includes(group)), { accounts, members }];
  });
  return groups.reverse().flatMap(({ members }) => members.map((place) => transactions[place]));
}
