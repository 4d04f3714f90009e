/*
 * faults.c
 *	  Which faults stand, and whom they hit; see faults.h.
 */
#include "faults.h"

#include <string.h>

#include "dice.h"

static const char *const names[FAULT_MODES] = {
	[FAULT_LATENCY] = "latency",
	[FAULT_HANG] = "hang",
	[FAULT_STATUS] = "status",
	[FAULT_TRUNCATE] = "truncate",
	[FAULT_CUT_JSON] = "cut_json",
	[FAULT_BAD_JSON] = "bad_json",
	[FAULT_WRONG_TYPE] = "wrong_type",
	[FAULT_EMPTY] = "empty",
	[FAULT_NULL_DATA] = "null_data",
	[FAULT_NO_BODY] = "no_body",
	[FAULT_DRIP] = "drip",
	[FAULT_RESET] = "reset",
	[FAULT_HUGE] = "huge",
	[FAULT_GZIP_BOMB] = "gzip_bomb",
	[FAULT_ABSURD] = "absurd",
	[FAULT_REDIRECT] = "redirect",
	[FAULT_REDIRECT_SAME] = "redirect_same",
};

const char *
fault_name(FaultMode mode)
{
	return mode < FAULT_MODES ? names[mode] : NULL;
}

bool
fault_mode(const char *name, FaultMode *mode)
{
	for (int i = 0; i < FAULT_MODES; i++)
		if (strcmp(names[i], name) == 0)
		{
			*mode = (FaultMode) i;
			return true;
		}
	return false;
}

void
fault_names(Text *text)
{
	for (int i = 0; i < FAULT_MODES; i++)
		text_format(text, "%s%s", i > 0 ? ", " : "", names[i]);
}

bool
faults_add(Faults *faults, const Fault *fault)
{
	if (faults->count == FAULTS_MAX)
		return false;
	faults->faults[faults->count++] = *fault;
	return true;
}

static void
remove_at(Faults *faults, int i)
{
	memmove(&faults->faults[i], &faults->faults[i + 1], (size_t) (faults->count - i - 1) * sizeof(Fault));
	faults->count--;
}

int
faults_remove(Faults *faults, FaultMode mode)
{
	int removed = 0;

	for (int i = faults->count - 1; i >= 0; i--)
		if (mode == FAULT_MODES || faults->faults[i].mode == mode)
		{
			remove_at(faults, i);
			removed++;
		}
	return removed;
}

bool
faults_hit(Faults *faults, int start, bool redirectable, Fault *hit)
{
	Dice dice = {faults->dice};
	bool found = false;

	for (int i = 0; i < faults->count && !found; i++)
	{
		Fault *fault = &faults->faults[i];

		if (fault->start != FAULT_ANY_START && fault->start != start)
			continue;
		if (fault->mode == FAULT_REDIRECT_SAME && !redirectable)
			continue;
		if (fault->share < 1.0 && !dice_chance(&dice, fault->share))
			continue;
		found = true;
		fault->hits++;
		*hit = *fault;
		if (fault->count != FAULT_FOR_EVER && --fault->count == 0)
			remove_at(faults, i);
	}
	faults->dice = dice.state;
	return found;
}

void
faults_json(const Faults *faults, Text *text)
{
	text_add(text, "[");
	for (int i = 0; i < faults->count; i++)
	{
		const Fault *fault = &faults->faults[i];

		text_format(text, "%s{\"mode\":\"%s\"", i > 0 ? "," : "", names[fault->mode]);
		if (fault->start != FAULT_ANY_START)
			text_format(text, ",\"start\":%d", fault->start);
		if (fault->share < 1.0)
			text_format(text, ",\"share\":%g", fault->share);
		if (fault->count != FAULT_FOR_EVER)
			text_format(text, ",\"count\":%ld", fault->count);
		if (fault->mode == FAULT_LATENCY || fault->mode == FAULT_DRIP)
			text_format(text, ",\"ms\":%d", fault->ms);
		if (fault->mode == FAULT_STATUS)
			text_format(text, ",\"status\":%u", fault->status);
		if (fault->retry_after[0] != '\0')
		{
			text_add(text, ",\"retry_after\":");
			text_json_string(text, fault->retry_after);
		}
		text_format(text, ",\"hits\":%llu}", (unsigned long long) fault->hits);
	}
	text_add(text, "]");
}
