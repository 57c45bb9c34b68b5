import type { Dimension } from "./views/transactions.js";

/** What the API and the devnet answer, as far as the pages show it. */

export type { Abi, AbiFunction, AbiType } from "../clarity/abi.js";

/** A value: encoded, and as text. */
export interface Value {
  hex: string;
  repr?: string;
}

interface Payloads {
  contract_call?: { contract_id: string; function_name: string; function_args?: (Value & { name: string; type: string })[] };
  smart_contract?: { contract_id: string; source_code: string };
}

/** What `actionOf` shows of a transaction. */
export interface Action extends Payloads {
  tx_id: string;
  type: string;
  token_transfer?: { amount: string; recipient: string };
}

/** A transaction in a list of version 3. */
export interface Summary extends Action {
  sender: { address: string };
  status: string;
  /** Pending ones have none, and a time of receipt. */
  block?: { height: number; time: number };
  receipt_time?: number;
}

/** A transaction in the list of a principal's. */
export interface Change {
  transaction: Required<Pick<Summary, "block">> & Summary;
  balance_changes: { stx: { net: string } };
}

/** A transaction in a list of version 2. */
export interface ListedTransaction extends Payloads {
  tx_id: string;
  tx_type: string;
  tx_status: string;
  sender_address: string;
  fee_rate: string;
  token_transfer?: { amount: string; recipient_address: string; memo: string };
}

/** A transaction of version 1. */
export interface Transaction extends ListedTransaction, Partial<Record<`execution_cost_${Dimension}`, number>> {
  nonce: number;
  sponsored: boolean;
  sponsor_address?: string;
  post_condition_mode: string;
  post_conditions: PostCondition[];
  /** Those that are not mined have no block, and a time of receipt. */
  block_height?: number;
  block_time?: number;
  receipt_time?: number;
  tx_result?: Value;
  vm_error?: string | null;
  vm_error_at?: Place;
  event_count?: number;
  events?: Event[];
}

/** Where a runtime error happened; only the embedded devnet says it. */
export interface Place {
  contract_id: string;
  function_name: string;
  line: number;
  expression: string;
}

export interface PostCondition {
  type: string;
  condition_code: string;
  principal: { type_id: string; address?: string; contract_name?: string };
  amount?: string;
  asset?: { contract_address: string; contract_name: string; asset_name: string };
  asset_value?: Value;
}

/** An event of version 1. */
export interface Event {
  event_type: string;
  contract_log?: { contract_id: string; value: Value };
  asset?: Asset;
}

export interface Asset {
  asset_event_type: string;
  sender?: string;
  recipient?: string;
  amount?: string;
  asset_id?: string;
  value?: Value;
}

/** Something that a contract printed. */
export interface Log extends Event {
  tx_id: string;
  block_height?: number;
}

/** A block of version 2. */
export interface Block {
  height: number;
  hash: string;
  index_block_hash: string;
  parent_block_hash: string;
  block_time: number;
  burn_block_height: number;
  tx_count: number;
}

/** A call in a trace, with those that it made. */
export interface TracedCall {
  contract: string;
  function: string;
  args: string | null;
  result: string | null;
  at: { contract: string; line: number } | null;
  runtime: number | null;
  events: string[];
  calls: TracedCall[];
}

/** STX of a principal; the API and the devnet write what is locked differently. */
export interface StxBalance {
  balance: string;
  locked?: string | { amount: string } | null;
  mempool?: { inbound: string; outbound: string };
}

export interface FungibleBalance {
  asset_identifier: string;
  balance: string;
}

export interface OwnedToken {
  asset_identifier: string;
  value: Value;
}

/** A page of a list that goes on by offsets. */
export interface Page<T> {
  results: T[];
  total?: number;
}

/** A page of a list that goes on by cursors. */
export interface CursorPage<T> extends Page<T> {
  cursor: { next: string | null };
}
