/** The principals that a transaction concerns, as in the Stacks API: sender, sponsor, called contract, and everyone whose assets moved. */

/**
 * @param {{transaction: import("../wire/transaction.js").Transaction, outcome: import("./executor.js").Outcome}} mined
 * @returns {Set<string>} addresses and contract ids
 */
export function principalsOf({ transaction, outcome }) {
  const { origin, sponsor, payload } = transaction;
  const principals = new Set([origin.address]);
  if (sponsor) principals.add(sponsor.address);
  if (payload.type === "token_transfer") principals.add(payload.recipient);
  if (payload.type === "contract_call") principals.add(payload.contractId);
  if (payload.type === "smart_contract") principals.add(`${origin.address}.${payload.name}`);
  for (const event of outcome.events) {
    if (event.kind === "print") continue;
    if (event.sender) principals.add(event.sender);
    if (event.recipient) principals.add(event.recipient);
  }
  return principals;
}
