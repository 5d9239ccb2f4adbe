/*
 * model_range.c
 *	  What a range of a list that keeps its order promises.
 */
#include "model_range.h"

#include <string.h>

static uint32_t known(const ModelRange * range);
static int	place(const ModelRange * range, int object);
static const char *lost_before(const ModelRange * range, int nrows,
							   uint32_t stayed, int last);
static bool fits_one_page(const Model *model);

void
range_begin(ModelRange * range, int objects)
{
	while (range->made < objects)
	{
		range->order[range->made] = range->made;
		range->made++;
	}
}

void
range_insert(ModelRange * range, int object, int behind)
{
	int			at = behind < 0 ? 0 : place(range, behind) + 1;

	memmove(&range->order[at + 1], &range->order[at],
			(size_t) (range->made - at));
	range->order[at] = (uint8_t) object;
	range->made++;
}

void
range_serve(ModelRange * range, const Model *model,
			const uint8_t *list, int length)
{
	if (range->begun)
		return;
	range->begun = true;
	if (model->first < length)
		range->origin = (uint8_t) (1 + list[model->first]);
}

int
range_lead(const ModelRange * range, const Model *model,
		   int64_t row, uint32_t objects)
{
	uint32_t	seen = known(range);
	int			before = (int) (model->first - row);
	int			lead = 0;
	int			n;

	for (n = 0; n < range->made; n++)
	{
		uint32_t	object = (uint32_t) 1 << range->order[n];

		if (range->nrows == 0 ? lead == before : (objects & seen & object) != 0)
			break;
		if (objects & object)
			lead++;
	}
	return lead;
}

uint32_t
range_learn(ModelRange * range, int lead, uint32_t objects)
{
	uint32_t	seen = known(range);
	uint32_t	gain = 0;
	int			n;

	for (n = 0; n < range->made; n++)
	{
		uint32_t	object = (uint32_t) 1 << range->order[n];

		if (!(objects & object) || lead-- > 0 || seen & object)
			continue;
		gain |= object;
		range->rows[range->nrows++] = range->order[n];
	}
	return gain;
}

/*
 * A reader may stop at any row, so what is promised of all rows is promised of
 * the first ones of them, however many.
 */
const char *
range_broken(const ModelRange * range, const Model *model,
			 uint32_t stayed, bool still)
{
	int			wanted = range->nrows < model->want ?
	range->nrows : model->want;
	int			last = 0;
	int			n;

	if (wanted == 0)
		return range->origin == 0 ? NULL : "a range lost all its rows";
	if (range->rows[0] + 1 != range->origin)
		return "a range begins elsewhere";

	for (n = 0; n < range->nrows; n++)
	{
		int			at = place(range, range->rows[n]);
		const char *lost;

		if (at < place(range, range->rows[0]))
			return "a row from before the range";
		if (still && range->rows[n] != model->first + n)
			return "a list that kept still has other rows";
		if (at > last)
			last = at;
		lost = lost_before(range, n + 1, stayed, last);
		if (lost != NULL)
			return lost;
	}
	if (still && !model->walk.by_page && range->nrows > model->want)
		return "a range of a list that kept still reads on";
	if (range->nrows < model->want)
		return lost_before(range, range->nrows, stayed, range->made);
	return NULL;
}

int
range_still_cost(const Model *model, int objects)
{
	int			size = model->walk.size;
	int			rows = objects - model->first;
	int			taken = 0;
	int			requests = 0;
	UriPage		page;

	/* one page, or else each but the first brings a row less */
	if (fits_one_page(model) || rows <= 0)
		return 1;
	if (!model->walk.by_page)
		return rows < model->want ? (rows - 1) / (size - 1) + 1 :
			(model->want - 2) / (size - 1) + 1;

	do
	{
		int			lacks = model->want - taken + (requests > 0);

		page = uri_cover_range(model->first + taken - (requests > 0),
							   lacks < size ? lacks : size, size, true);
		taken = (int) (page.row + page.limit) - model->first;
		requests++;
	} while (taken < model->want && page.row + page.limit <= objects);
	return requests;
}

static bool
fits_one_page(const Model *model)
{
	int			limit;

	if (!model->walk.by_page)
		return model->want <= model->walk.size;
	for (limit = 1; limit <= model->walk.size; limit++)
	{
		if (model->first % limit + model->want <= limit)
			return true;
	}
	return false;
}

/*
 * Of the objects that stayed, all from the range's first to a place must be
 * among the first rows.
 */
static const char *
lost_before(const ModelRange * range, int nrows, uint32_t stayed, int last)
{
	uint32_t	due = 0;
	int			n;

	for (n = place(range, range->rows[0]); n < last; n++)
		due |= (uint32_t) 1 << range->order[n];
	due &= stayed;
	for (n = 0; n < nrows; n++)
		due &= ~((uint32_t) 1 << range->rows[n]);
	return due == 0 ? NULL : "a range lost an object";
}

static uint32_t
known(const ModelRange * range)
{
	uint32_t	objects = 0;
	int			n;

	for (n = 0; n < range->nrows; n++)
		objects |= (uint32_t) 1 << range->rows[n];
	return objects;
}

static int
place(const ModelRange * range, int object)
{
	int			n = 0;

	while (range->order[n] != object)
		n++;
	return n;
}
