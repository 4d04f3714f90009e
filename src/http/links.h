/*
 * links.h
 *	  Doubly linked rings, for things that stand in several queues at once and leave them in any order.
 *
 * A ring's head is a Link of its own.  A Link that is all zero stands nowhere.
 */
#ifndef CRYPTO_RT_HTTP_LINKS_H
#define CRYPTO_RT_HTTP_LINKS_H

#include <stdbool.h>
#include <stddef.h>

typedef struct Link
{
	struct Link *previous;
	struct Link *next;
} Link;

/* An empty ring, as its initial value. */
#define LINKS_EMPTY(head)                                                                                    \
	{                                                                                                        \
		&(head), &(head)                                                                                     \
	}

/* What a link is a member of. */
#define LINKS_OWNER(link, type, member) ((type *) (void *) ((char *) (link) -offsetof(type, member)))

static inline void
links_init(Link *head)
{
	head->previous = head->next = head;
}

static inline bool
links_empty(const Link *head)
{
	return head->next == head;
}

static inline bool
links_stands(const Link *link)
{
	return link->next != NULL;
}

/* Nothing happens to one that stands nowhere. */
static inline void
links_remove(Link *link)
{
	if (!links_stands(link))
		return;
	link->previous->next = link->next;
	link->next->previous = link->previous;
	link->previous = link->next = NULL;
}

/* Put it last, from wherever it stood. */
static inline void
links_append(Link *head, Link *link)
{
	links_remove(link);
	link->previous = head->previous;
	link->next = head;
	head->previous->next = link;
	head->previous = link;
}

/* Put it first, likewise. */
static inline void
links_prepend(Link *head, Link *link)
{
	links_remove(link);
	links_append(head->next, link);
}

/* Put all of a ring last in another. */
static inline void
links_append_all(Link *head, Link *from)
{
	if (links_empty(from))
		return;
	from->next->previous = head->previous;
	head->previous->next = from->next;
	from->previous->next = head;
	head->previous = from->previous;
	links_init(from);
}

#endif /* CRYPTO_RT_HTTP_LINKS_H */
