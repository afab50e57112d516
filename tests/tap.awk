# SPDX-License-Identifier: GPL-2.0-only
#
# Count the results of a TAP stream.
#
#	awk -v status=EXIT -v timeout=SECONDS-OR-0 -f tests/tap.awk LOG
#
# prints "PASSED FAILED SKIPPED" and then a line for each way in which the
# stream as a whole is wrong; each of those counts as one more failure. What
# must never happen is that a test program which died looks like one that passed.

function wrong(message)
{
	failed++
	complaints = complaints message "\n"
}

# Results come over a serial console, too.
{ sub(/\r$/, "") }

# cmocka prints a plan a group: the plans of a stream add up.
/^1\.\.[0-9]+/ {
	plans++
	planned += substr($1, 4)
	if ($1 == "1..0" && tolower($0) ~ /# *skip/)
		skipped++
	next
}

# cmocka reports a failed group setup or teardown as number 0, beside its plan.
/^not ok 0( |$)/ {
	failed++
	next
}

# cmocka 1.1.5 prints "not ok N # SKIP name": skipped is skipped.
/^(not )?ok( |$)/ {
	seen++
	if (tolower($0) ~ /# *skip/)
		skipped++
	else if ($1 == "ok")
		passed++
	else
		failed++
	next
}

/^Bail out!/ { wrong($0) }

END {
	if (timeout > 0)
		wrong("timed out after " timeout " s")
	else if (status != 0 && failed == 0)
		wrong("exit status " status ", but no test failed")

	if (plans == 0)
		wrong("no plan (1..N): ended early, or no TAP")
	else if (seen != planned)
		wrong("planned " planned " tests, ran " seen + 0)
	else if (seen == 0 && skipped == 0)
		wrong("no test ran")

	print passed + 0, failed + 0, skipped + 0
	printf "%s", complaints
}
