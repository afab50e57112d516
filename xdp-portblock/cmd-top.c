// SPDX-License-Identifier: GPL-2.0-only
/* xdp-portblock top: a live table of rules or interfaces. Plain text, once, for what is no terminal. */
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <ncurses.h>
#include "confine.h"
#include "counters.h"

#define HISTORY 60 /* readings in the sparkline */
#define ROWS_MIN 6
#define COLUMNS_MIN 40

enum view { VIEW_RULES, VIEW_INTERFACES };
enum order { ORDER_RATE, ORDER_PACKETS, ORDER_ID, ORDER_MAX };
static const char *const order_names[] = { "packets/s", "packets", "id" };

struct top {
	struct counters counters;
	enum view view;
	enum order order;
	bool paused, quit;
	size_t scroll;
	double history[HISTORY]; /* packets a second of all outcomes, the oldest first */
	__u32 interval;
};

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
	(void)signal;
	stopped = 1;
}

static double total_rate(const struct counters *counters)
{
	double sum = 0;

	for (size_t i = 0; i < counters->nr_interfaces; i++)
		for (int o = 0; o < PB_OUTCOME_MAX; o++)
			sum += counters->interfaces[i].rates[o].packets;
	return sum;
}

static void remember(struct top *top)
{
	memmove(top->history, top->history + 1, (HISTORY - 1) * sizeof(*top->history));
	top->history[HISTORY - 1] = total_rate(&top->counters);
}

/* Eight heights, against the highest of the last minute. */
static void draw_sparkline(const struct top *top, int width)
{
	static const char *const bars[] = { " ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
	int first = width < HISTORY ? HISTORY - width : 0;
	double most = 0;

	for (int i = 0; i < HISTORY; i++)
		most = top->history[i] > most ? top->history[i] : most;
	for (int i = first; i < HISTORY; i++)
		addstr(bars[most > 0 ? (int)(8 * top->history[i] / most + 0.5) : 0]);
}

/* qsort() passes no context. */
static enum order sort_order;

static int compare_rules(const void *a, const void *b)
{
	const struct rule_counters *left = *(const struct rule_counters *const *)a;
	const struct rule_counters *right = *(const struct rule_counters *const *)b;

	if (sort_order == ORDER_RATE && left->rate.packets != right->rate.packets)
		return left->rate.packets > right->rate.packets ? -1 : 1;
	if (sort_order != ORDER_ID && left->count.packets != right->count.packets)
		return left->count.packets > right->count.packets ? -1 : 1;
	return left->rule->id < right->rule->id ? -1 : 1;
}

static const struct rule_counters **sorted_rules(const struct top *top)
{
	const struct rule_counters **rules = calloc(top->counters.nr_rules + 1, sizeof(*rules));

	if (!rules)
		return NULL;
	for (size_t i = 0; i < top->counters.nr_rules; i++)
		rules[i] = &top->counters.by_rule[i];
	sort_order = top->order;
	qsort(rules, top->counters.nr_rules, sizeof(*rules), compare_rules);
	return rules;
}

static void draw_numbers(const struct rate *rate, const struct pb_count *count)
{
	char text[4][16];

	printw("%8s %8s %8s %8s  ", human(rate->packets, text[0]), human(rate->bytes, text[1]),
	       human(count->packets, text[2]), human(count->bytes, text[3]));
}

/* What others have written, up to the end of the line. */
static void draw_text(const char *text)
{
	char *clean = pb_text_escape(text, PB_ESCAPE_LINE);
	int room = COLS - getcurx(stdscr);

	addnstr(clean ?: "", room > 0 ? room : 0);
	free(clean);
}

static void draw_rules(const struct top *top)
{
	const struct rule_counters **rules = sorted_rules(top);
	char *text;

	mvprintw(3, 0, "%8s %8s %8s %8s  %5s  %s", "PKT/S", "B/S", "PACKETS", "BYTES", "ID",
		 "RULE");
	for (size_t i = top->scroll; rules && i < top->counters.nr_rules; i++) {
		int row = 4 + (int)(i - top->scroll);

		if (row >= LINES - 1)
			break;
		move(row, 0);
		draw_numbers(&rules[i]->rate, &rules[i]->count);
		printw("%5u  ", rules[i]->rule->id);
		if (!pb_rule_format(rules[i]->rule, pb_clock(), &text)) {
			draw_text(text);
			free(text);
		}
	}
	if (!top->counters.nr_rules)
		mvaddstr(4, 0, "No rules.");
	free(rules);
}

static void draw_interfaces(const struct top *top)
{
	size_t line = 0;

	mvprintw(3, 0, "%8s %8s %8s %8s  %s", "PKT/S", "B/S", "PACKETS", "BYTES",
		 "INTERFACE, OUTCOME");
	for (size_t i = 0; i < top->counters.nr_interfaces; i++) {
		const struct interface_counters *at = &top->counters.interfaces[i];

		for (int o = 0; o < PB_OUTCOME_MAX; o++, line++) {
			int row = 4 + (int)(line - top->scroll);

			if (line < top->scroll || row >= LINES - 1)
				continue;
			move(row, 0);
			if (at->interface->outcomes_error)
				printw("%8s %8s %8s %8s  ", "?", "?", "?", "?");
			else
				draw_numbers(&at->rates[o], &at->interface->outcomes[o]);
			draw_text(at->interface->name);
			printw(", %s", pb_outcome_name(o));
		}
	}
	if (!top->counters.nr_interfaces)
		mvaddstr(4, 0, "No interface is loaded with this ruleset.");
}

/* The last line stays on the screen, also when there are fewer lines than before. */
static void limit_scroll(struct top *top)
{
	size_t lines = top->view == VIEW_RULES ? top->counters.nr_rules :
						 top->counters.nr_interfaces * PB_OUTCOME_MAX;

	if (top->scroll && top->scroll >= lines)
		top->scroll = lines ? lines - 1 : 0;
}

static void draw_screen(struct top *top)
{
	const struct counters *counters = &top->counters;
	char rate[16];

	limit_scroll(top);
	erase();
	if (LINES < ROWS_MIN || COLS < COLUMNS_MIN) {
		mvprintw(0, 0, "too small: %dx%d", COLUMNS_MIN, ROWS_MIN);
		refresh();
		return;
	}
	mvprintw(0, 0, "ruleset %s, policy %s, %zu rules, %zu interfaces%s",
		 pb_ruleset_name(counters->ruleset),
		 pb_policy_name(pb_rules_settings(counters->rules)->policy), counters->nr_rules,
		 counters->nr_interfaces, top->paused ? "  PAUSED" : "");
	mvprintw(1, 0, "%6s/s ", human(total_rate(counters), rate));
	draw_sparkline(top, COLS - 10);
	if (top->view == VIEW_RULES)
		draw_rules(top);
	else
		draw_interfaces(top);
	mvprintw(LINES - 1, 0, "q quit  v view  s sort: %s  p pause  up/down scroll",
		 order_names[top->order]);
	refresh();
}

static void take_key(struct top *top, int key)
{
	switch (key) {
	case 'q':
	case 'Q':
		top->quit = true;
		break;
	case 'v':
	case '\t':
		top->view = top->view == VIEW_RULES ? VIEW_INTERFACES : VIEW_RULES;
		top->scroll = 0;
		break;
	case 's':
		top->order = (top->order + 1) % ORDER_MAX;
		break;
	case 'p':
	case ' ':
		top->paused = !top->paused;
		break;
	case KEY_DOWN:
		top->scroll++;
		break;
	case KEY_UP:
		top->scroll -= top->scroll > 0;
		break;
	}
}

static double now(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return at.tv_sec + at.tv_nsec / 1e9;
}

/* Until the time of the next reading: keys, each shown at once; KEY_RESIZE comes as one, too. */
static void wait_for_keys(struct top *top, double until)
{
	double left;

	while (!top->quit && !stopped && (left = until - now()) > 0) {
		int key;

		timeout((int)(left * 1000) + 1);
		key = getch();
		if (key == ERR)
			continue;
		take_key(top, key);
		draw_screen(top);
	}
}

static int run_screen(struct top *top, struct pb_error *error)
{
	double next = now();
	int ret = 0;

	while (!ret && !top->quit && !stopped) {
		if (!top->paused) {
			ret = counters_update(&top->counters, error);
			remember(top);
		}
		if (ret)
			break;
		draw_screen(top);
		next += top->interval;
		wait_for_keys(top, next);
	}
	return ret;
}

static int show_screen(struct top *top)
{
	struct sigaction action = { .sa_handler = stop };
	char option[PB_RULESET_OPTION_LEN];
	struct pb_error error;
	int ret;

	setlocale(LC_ALL, "");
	if (!newterm(NULL, stdout, stdin)) {
		note("this terminal (TERM=%s) can't show a live table: `xdp-portblock stats%s -i "
		     "1` prints one",
		     getenv("TERM") ?: "",
		     pb_ruleset_option(pb_ruleset_name(top->counters.ruleset), option));
		return FAILED;
	}
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	cbreak();
	noecho();
	keypad(stdscr, true);
	curs_set(0);
	confine(CONFINED_READING);
	ret = run_screen(top, &error);
	endwin();
	return ret ? fail(&error) : DONE;
}

int cmd_top(const struct arguments *arguments)
{
	struct top top = { .interval = 1 };
	struct pb_error error;
	int ret = option_number(arguments, OPT_INTERVAL, 1, 3600, &top.interval);

	if (ret != DONE)
		return ret;
	if (pb_ruleset_open(ruleset_name(arguments), &top.counters.ruleset, &error))
		return fail(&error);
	if (isatty(STDOUT_FILENO) && isatty(STDIN_FILENO)) {
		ret = show_screen(&top);
	} else if (counters_update(&top.counters, &error)) {
		ret = fail(&error);
	} else {
		print_counters(&top.counters);
	}
	counters_clear(&top.counters);
	return ret;
}
