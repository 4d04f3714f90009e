/*
 * fuzz_tier.c
 *	  Any text as a tier list: it is sound, or there is a message.
 */
#include "fuzz.h"

#include <string.h>

#include "tier.h"

static void
check_list(const TierList *list)
{
	int last = 0;

	FUZZ_CHECK(list->count >= 1 && list->count <= TIER_MAX);
	for (int n = 1; n <= list->count; n++)
	{
		const Tier *tier = tier_get(list, n);

		FUZZ_CHECK(tier->last_rank > last);
		FUZZ_CHECK(tier->interval >= TIER_INTERVAL_MIN && tier->interval <= TIER_INTERVAL_MAX);
		FUZZ_CHECK(tier->ttl >= 60 && tier->ttl > tier_seconds(tier));
		FUZZ_CHECK(tier_seconds(tier) >= 1);
		FUZZ_CHECK(tier_first_rank(list, n) == last + 1);
		FUZZ_CHECK(tier_of_rank(list, last + 1) == n && tier_of_rank(list, tier->last_rank) == n);
		last = tier->last_rank;
	}
	FUZZ_CHECK(last == TIER_NO_LIMIT);
	FUZZ_CHECK(tier_of_rank(list, 0) == list->count);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	char err[160] = "";
	TierList list;

	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	if (tier_parse(text, &list, err, sizeof(err)))
		check_list(&list);
	else
		FUZZ_CHECK(err[0] != '\0' && strlen(err) < sizeof(err) - 1);
	free(text);
	return 0;
}
