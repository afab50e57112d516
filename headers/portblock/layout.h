/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Size and offsets of what abi.h shares, held against the compiler: a kernel of 64 bits and programs
 * of 32 look at the same bytes. The XDP program and the library include it. A number that changes
 * here raises PB_ABI_VERSION.
 */
#ifndef PORTBLOCK_LAYOUT_H
#define PORTBLOCK_LAYOUT_H

#include <portblock/abi.h>

#ifdef __cplusplus
#define PB_ASSERT(what) static_assert(what, #what)
#else
#define PB_ASSERT(what) _Static_assert(what, #what)
#endif
/* Of a number of 64 bits at that offset */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define PB_LOW_HALF(offset) (offset)
#define PB_HIGH_HALF(offset) ((offset) + 4)
#else
#define PB_LOW_HALF(offset) ((offset) + 4)
#define PB_HIGH_HALF(offset) (offset)
#endif
#define PB_SIZE(name, size) PB_ASSERT(sizeof(struct name) == (size))
#define PB_AT(name, member, offset) PB_ASSERT(__builtin_offsetof(struct name, member) == (offset))

PB_SIZE(pb_config, 320);
PB_AT(pb_config, abi_version, 0);
PB_AT(pb_config, keep, 4);
PB_AT(pb_config, active, PB_LOW_HALF(8));
PB_AT(pb_config, listening, PB_HIGH_HALF(8));
PB_AT(pb_config, revert_at, 16);
PB_AT(pb_config, listen_until, 24);
PB_AT(pb_config, listen_outcomes, 32);
PB_AT(pb_config, listen_rate, 36);
PB_AT(pb_config, listen_rule, 40);
PB_AT(pb_config, listen_port, 44);
PB_AT(pb_config, listen_snaplen, 46);
PB_AT(pb_config, max_rules, 48);
PB_AT(pb_config, max_sources, 52);
PB_AT(pb_config, max_decisions, 56);
PB_AT(pb_config, max_port_classes, 60);
PB_AT(pb_config, max_ranges, 64);
PB_AT(pb_config, cpus, 68);
PB_AT(pb_config, max_buckets, 72);
PB_AT(pb_config, reserved, 76);
PB_AT(pb_config, resets, 80);
PB_AT(pb_config, generations, 88);
PB_AT(pb_config, ruleset, 96);
PB_AT(pb_config, slots, 128);
PB_AT(pb_config, maps, 224);

PB_SIZE(pb_slot, 48);
PB_AT(pb_slot, generation, 0);
PB_AT(pb_slot, flags, 8);
PB_AT(pb_slot, rules, 12);
PB_AT(pb_slot, next_id, 16);
PB_AT(pb_slot, prefixes, 20);
PB_AT(pb_slot, ranges, 24);
PB_AT(pb_slot, portless, 28);
PB_AT(pb_slot, answers, 32);
PB_AT(pb_slot, unmatched, 36);
PB_AT(pb_slot, adding, 40);
PB_AT(pb_slot, turns, 44);

PB_SIZE(pb_rule_record, 208);
PB_AT(pb_rule_record, id, 0);
PB_AT(pb_rule_record, action, 4);
PB_AT(pb_rule_record, side, 8);
PB_AT(pb_rule_record, protocols, 12);
PB_AT(pb_rule_record, flags, 13);
PB_AT(pb_rule_record, reserved, 14);
PB_AT(pb_rule_record, expires, 16);
PB_AT(pb_rule_record, nr_ports, 24);
PB_AT(pb_rule_record, more_ports, 28);
PB_AT(pb_rule_record, first_prefix, 32);
PB_AT(pb_rule_record, nr_from, 36);
PB_AT(pb_rule_record, nr_except, 40);
PB_AT(pb_rule_record, ports, 44);
PB_AT(pb_rule_record, comment, 68);
PB_AT(pb_rule_record, padding, 132);
PB_AT(pb_rule_record, from_sets, 136);
PB_AT(pb_rule_record, except_sets, 144);
PB_AT(pb_rule_record, over, 152);

PB_SIZE(pb_rate, 24);
PB_AT(pb_rate, amount, 0);
PB_AT(pb_rate, burst, 8);
PB_AT(pb_rate, unit, 16);
PB_AT(pb_rate, per, 17);
PB_AT(pb_rate, reserved, 18);

PB_SIZE(pb_over, 56);
PB_AT(pb_over, rate, 0);
PB_AT(pb_over, total, 24);
PB_AT(pb_over, each, 48);
PB_AT(pb_over, len4, 49);
PB_AT(pb_over, len6, 50);
PB_AT(pb_over, reserved, 51);

PB_SIZE(pb_limit, 24);
PB_AT(pb_limit, burst, 0);
PB_AT(pb_limit, mult, 8);
PB_AT(pb_limit, shift, 16);
PB_AT(pb_limit, flags, 20);

PB_SIZE(pb_rule_limits, 80);
PB_AT(pb_rule_limits, rate, 0);
PB_AT(pb_rule_limits, entry, 24);
PB_AT(pb_rule_limits, port_class, 28);
PB_AT(pb_rule_limits, secret4, 32);
PB_AT(pb_rule_limits, secret6, 40);
PB_AT(pb_rule_limits, epoch, 48);
PB_AT(pb_rule_limits, each, 52);
PB_AT(pb_rule_limits, len4, 53);
PB_AT(pb_rule_limits, len6, 54);
PB_AT(pb_rule_limits, reserved, 55);
PB_AT(pb_rule_limits, total, 56);

PB_SIZE(pb_token_row, 128);
PB_AT(pb_token_row, bucket, 0);

PB_SIZE(pb_token_bucket, 16);
PB_AT(pb_token_bucket, tag, 0);
PB_AT(pb_token_bucket, full_at, 8);

PB_SIZE(pb_rate_meter, 64);
PB_AT(pb_rate_meter, evicted, 0);
PB_AT(pb_rate_meter, answers_until, 8);
PB_AT(pb_rate_meter, answered, 16);
PB_AT(pb_rate_meter, held_back, 24);
PB_AT(pb_rate_meter, reserved, 32);

PB_SIZE(pb_rates, 16448);
PB_AT(pb_rates, seed, 0);
PB_AT(pb_rates, reserved, 16);
PB_AT(pb_rates, row, 64);

PB_SIZE(pb_range, 4);
PB_AT(pb_range, first, 0);
PB_AT(pb_range, last, 2);

PB_SIZE(pb_prefix_key, 8);
PB_AT(pb_prefix_key, slot, 0);
PB_AT(pb_prefix_key, block, 4);

PB_SIZE(pb_prefix_block, 640);
PB_AT(pb_prefix_block, prefix, 0);

PB_SIZE(pb_prefix_record, 20);
PB_AT(pb_prefix_record, addr, 0);
PB_AT(pb_prefix_record, family, 16);
PB_AT(pb_prefix_record, len, 17);
PB_AT(pb_prefix_record, reserved, 18);

PB_SIZE(pb_count, 16);
PB_AT(pb_count, packets, 0);
PB_AT(pb_count, bytes, 8);

PB_SIZE(pb_outcomes, 49544);
PB_AT(pb_outcomes, row, 0);
PB_AT(pb_outcomes, resets, 49536);

PB_SIZE(pb_event, 24);
PB_AT(pb_event, time, 0);
PB_AT(pb_event, ifindex, 8);
PB_AT(pb_event, length, 12);
PB_AT(pb_event, rule, 16);
PB_AT(pb_event, captured, 20);
PB_AT(pb_event, outcome, 22);
PB_AT(pb_event, ethernet, 23);

PB_SIZE(pb_meters, 16384);
PB_AT(pb_meters, row, 0);

PB_SIZE(pb_meter, 64);
PB_AT(pb_meter, sent, 0);
PB_AT(pb_meter, suppressed, 8);
PB_AT(pb_meter, lost, 16);
PB_AT(pb_meter, ignored, 24);
PB_AT(pb_meter, reserved, 32);

PB_SIZE(pb_ports, 1572864);
PB_AT(pb_ports, entry, 0);
PB_AT(pb_ports, classes, 1048576);

PB_SIZE(pb_port_classes, 16);
PB_AT(pb_port_classes, of, 0);
PB_AT(pb_port_classes, reserved, 10);

PB_SIZE(pb_decision, 24);
PB_AT(pb_decision, expires, 0);
PB_AT(pb_decision, rank, 8);
PB_AT(pb_decision, next, 12);
PB_AT(pb_decision, entry, 16);
PB_AT(pb_decision, reserved, 20);
PB_AT(pb_decision, flags, 21);
PB_AT(pb_decision, mix, 22);

PB_SIZE(pb_source_decision, 24);
PB_AT(pb_source_decision, lengths6, 0);
PB_AT(pb_source_decision, lengths4, 4);
PB_AT(pb_source_decision, levels, 5);
PB_AT(pb_source_decision, segments4, 6);
PB_AT(pb_source_decision, first, 8);
PB_AT(pb_source_decision, next, 12);
PB_AT(pb_source_decision, answers, 16);
PB_AT(pb_source_decision, reserved, 20);
PB_AT(pb_source_decision, flags, 21);
PB_AT(pb_source_decision, segments6, 22);

PB_SIZE(pb_source_segment4, 34816);
PB_AT(pb_source_segment4, word, 0);
PB_AT(pb_source_segment4, step, 32768);

PB_SIZE(pb_source_entry6, 24);
PB_AT(pb_source_entry6, high, 0);
PB_AT(pb_source_entry6, low, 8);
PB_AT(pb_source_entry6, word, 16);

PB_SIZE(pb_source_segment6, 100352);
PB_AT(pb_source_segment6, entry, 0);
PB_AT(pb_source_segment6, step, 98304);

PB_SIZE(pb_exchange, 8208);
PB_AT(pb_exchange, turn, 0);
PB_AT(pb_exchange, programs, 4);
PB_AT(pb_exchange, reserved, 12);
PB_AT(pb_exchange, latch, 16);

PB_SIZE(pb_clock_row, 64);
PB_AT(pb_clock_row, jiffy, 0);
PB_AT(pb_clock_row, boot, 8);
PB_AT(pb_clock_row, reserved, 16);

PB_SIZE(pb_clock, 16384);
PB_AT(pb_clock, row, 0);

PB_SIZE(pb_set_condition, 16);
PB_AT(pb_set_condition, from, 0);
PB_AT(pb_set_condition, except, 8);

PB_SIZE(pb_set_record, 56);
PB_AT(pb_set_record, name, 0);
PB_AT(pb_set_record, timeout, 32);
PB_AT(pb_set_record, max, 40);
PB_AT(pb_set_record, nr, 44);
PB_AT(pb_set_record, flags, 48);
PB_AT(pb_set_record, reserved, 52);

PB_SIZE(pb_shorter, 16384);
PB_AT(pb_shorter, of4, 0);
PB_AT(pb_shorter, of6, 8192);

PB_SIZE(pb_sets, 60976);
PB_AT(pb_sets, tables, 0);
PB_AT(pb_sets, seed, 8);
PB_AT(pb_sets, nr4, 24);
PB_AT(pb_sets, nr6, 28);
PB_AT(pb_sets, shorter, 32);
PB_AT(pb_sets, conditions, 32800);
PB_AT(pb_sets, record, 40992);
PB_AT(pb_sets, files, 44576);
PB_AT(pb_sets, file, 44592);

PB_SIZE(pb_segment4, 606208);
PB_AT(pb_segment4, word, 0);
PB_AT(pb_segment4, ends, 262144);
PB_AT(pb_segment4, by24, 524288);
PB_AT(pb_segment4, by20, 589824);

PB_SIZE(pb_segment6, 1212416);
PB_AT(pb_segment6, word, 0);
PB_AT(pb_segment6, ends, 262144);
PB_AT(pb_segment6, addr, 524288);
PB_AT(pb_segment6, by64, 1048576);
PB_AT(pb_segment6, by32, 1179648);

PB_SIZE(pb_lengths, 524296);
PB_AT(pb_lengths, of4, 0);
PB_AT(pb_lengths, of6, 262144);
PB_AT(pb_lengths, all6, 524288);
PB_AT(pb_lengths, reserved, 524292);

/* The bits of the outcome in an entry are the offset of its counter in a row of pb_outcomes. */
PB_ASSERT(PB_ENTRY(0, 1, 0) == sizeof(struct pb_count));
PB_ASSERT((PB_OUTCOME_MAX - 1) * sizeof(struct pb_count) <= PB_ENTRY_OUTCOME_BITS);

#undef PB_ASSERT
#undef PB_SIZE
#undef PB_AT

#endif
