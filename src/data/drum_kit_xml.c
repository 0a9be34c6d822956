/* drum_kit_xml.c - drumkit.xml, with expat.
 *
 *     drumkit_info: name, license
 *       componentList / drumkitComponent: id, volume                     (from 0.9.7)
 *       instrumentList / instrument: name, volume, gain, pan, mute group, ...
 *         instrumentComponent: component_id, gain                        (from 0.9.7)
 *           layer: filename, min, max, gain, pitch
 *         layer                                                          (0.9.3 to 0.9.6)
 *         filename                                                       (before)
 *
 * Layers may stand in both places, what is not known is passed over, and what is missing has
 * Hydrogen's default. Filters and envelopes are not used. The file comes from strangers: a DOCTYPE
 * (and with it every entity) is refused, depth and lengths are bounded, names of samples must stay
 * in the folder. */
#include "base/status.h"
#include "data/drum_kit_impl.h"
#include "io/text.h"

#include <expat.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 16, TEXT_MAX = 1023, COUNT_MAX = 1000 };

typedef enum {
    NOWHERE,
    DOCUMENT,
    KIT,
    COMPONENTS,
    COMPONENT,
    INSTRUMENTS,
    INSTRUMENT,
    PART,
    LAYER
} place;

static const struct {
    place in;
    const char *name;
    place there;
} places[] = {
    { DOCUMENT, "drumkit_info", KIT },
    { KIT, "componentList", COMPONENTS },
    { COMPONENTS, "drumkitComponent", COMPONENT },
    { KIT, "instrumentList", INSTRUMENTS },
    { INSTRUMENTS, "instrument", INSTRUMENT },
    { INSTRUMENT, "instrumentComponent", PART },
    { INSTRUMENT, "layer", LAYER },
    { PART, "layer", LAYER },
};

typedef struct reader {
    rv_drum_kit *kit;
    XML_Parser xml;
    rv_status status;
    rv_error *err;
    place stack[DEPTH_MAX];
    size_t depth;
    char text[TEXT_MAX + 1]; /* of the innermost element */
    size_t length;           /* TEXT_MAX + 1: too long */
    drum_component part;     /* the instrumentComponent: id and gain */
    size_t part_from;        /* its first layer */
} reader;

typedef enum { TEXT, NUMBER, TRUTH, SELECTION } field_type;

typedef struct field {
    place in;
    const char *name;
    field_type type;
    size_t offset;
    double min, max;
} field;

#define OF_KIT(member)        offsetof(rv_drum_kit, member)
#define OF_COMPONENT(member)  offsetof(drum_component, member)
#define OF_INSTRUMENT(member) offsetof(drum_instrument, member)
#define OF_LAYER(member)      offsetof(drum_layer, member)

static const field fields[] = {
    { KIT, "name", TEXT, OF_KIT(name), 0, 0 },
    { KIT, "license", TEXT, OF_KIT(license), 0, 0 },
    { KIT, "licence", TEXT, OF_KIT(license), 0, 0 },
    { COMPONENT, "id", NUMBER, OF_COMPONENT(id), -1, 1e6 },
    { COMPONENT, "volume", NUMBER, OF_COMPONENT(volume), 0, 100 },
    { INSTRUMENT, "name", TEXT, OF_INSTRUMENT(name), 0, 0 },
    { INSTRUMENT, "filename", TEXT, OF_INSTRUMENT(file), 0, 0 },
    { INSTRUMENT, "volume", NUMBER, OF_INSTRUMENT(volume), 0, 100 },
    { INSTRUMENT, "gain", NUMBER, OF_INSTRUMENT(gain), 0, 100 },
    { INSTRUMENT, "pan_L", NUMBER, OF_INSTRUMENT(left), 0, 2 },
    { INSTRUMENT, "pan_R", NUMBER, OF_INSTRUMENT(right), 0, 2 },
    { INSTRUMENT, "pan", NUMBER, OF_INSTRUMENT(pan), -1, 1 },
    { INSTRUMENT, "muteGroup", NUMBER, OF_INSTRUMENT(mute_group), -1, 1e6 },
    { INSTRUMENT, "midiOutNote", NUMBER, OF_INSTRUMENT(note), -1, 127 },
    { INSTRUMENT, "isMuted", TRUTH, OF_INSTRUMENT(muted), 0, 0 },
    { INSTRUMENT, "isStopNote", TRUTH, OF_INSTRUMENT(stops_itself), 0, 0 },
    { INSTRUMENT, "applyVelocity", TRUTH, OF_INSTRUMENT(by_velocity), 0, 0 },
    { INSTRUMENT, "sampleSelectionAlgo", SELECTION, OF_INSTRUMENT(selection), 0, 0 },
    { PART, "component_id", NUMBER, OF_COMPONENT(id), -1, 1e6 },
    { PART, "gain", NUMBER, OF_COMPONENT(volume), 0, 100 },
    { LAYER, "filename", TEXT, OF_LAYER(file), 0, 0 },
    { LAYER, "min", NUMBER, OF_LAYER(min), 0, 1 },
    { LAYER, "max", NUMBER, OF_LAYER(max), 0, 1 },
    { LAYER, "gain", NUMBER, OF_LAYER(gain), 0, 100 },
    { LAYER, "pitch", NUMBER, OF_LAYER(pitch), -36, 36 },
};

/* The first failure stops the parser; expat may still deliver the rest of an event or two. */
#define REFUSE(r, code, ...)                                  \
    do {                                                      \
        (r)->status = RV_FAIL((r)->err, (code), __VA_ARGS__); \
        XML_StopParser((r)->xml, XML_FALSE);                  \
        return;                                               \
    } while (0)

#define HERE(r) (r)->kit->path, (unsigned long)XML_GetCurrentLineNumber((r)->xml)

static drum_instrument *last_instrument(reader *r)
{
    return &r->kit->instrument[r->kit->instruments - 1];
}

static drum_layer *last_layer(reader *r)
{
    drum_instrument *instrument = last_instrument(r);
    return &instrument->layer[instrument->layers - 1];
}

/* Room for one more at the end of an array, cleared; NULL: no memory. */
static void *append(void *array, size_t *count, size_t size)
{
    unsigned char *grown = realloc(array, (*count + 1) * size);
    if (grown)
        memset(grown + (*count)++ * size, 0, size);
    return grown;
}

static void begin_component(reader *r)
{
    rv_drum_kit *k = r->kit;
    if (k->components == COUNT_MAX)
        REFUSE(r, RV_ERR_FORMAT, "%s:%lu: more than %d components", HERE(r), COUNT_MAX);
    drum_component *grown = append(k->component, &k->components, sizeof *grown);
    if (!grown)
        REFUSE(r, RV_ERR_NOMEM, "%s: reading the components", k->path);
    k->component = grown;
    grown[k->components - 1] = (drum_component){ .id = -1, .volume = 1 };
}

static void begin_instrument(reader *r)
{
    rv_drum_kit *k = r->kit;
    if (k->instruments == COUNT_MAX)
        REFUSE(r, RV_ERR_FORMAT, "%s:%lu: more than %d instruments", HERE(r), COUNT_MAX);
    drum_instrument *grown = append(k->instrument, &k->instruments, sizeof *grown);
    if (!grown)
        REFUSE(r, RV_ERR_NOMEM, "%s: reading the instruments", k->path);
    k->instrument = grown;
    grown[k->instruments - 1] = (drum_instrument){ .line = XML_GetCurrentLineNumber(r->xml),
                                                   .volume = 1,
                                                   .gain = 1,
                                                   .left = 1,
                                                   .right = 1,
                                                   .mute_group = -1,
                                                   .note = -1,
                                                   .by_velocity = true };
}

static void begin_layer(reader *r, unsigned long line)
{
    drum_instrument *instrument = last_instrument(r);
    if (instrument->layers == COUNT_MAX)
        REFUSE(r, RV_ERR_FORMAT, "%s:%lu: more than %d layers", HERE(r), COUNT_MAX);
    drum_layer *grown = append(instrument->layer, &instrument->layers, sizeof *grown);
    if (!grown)
        REFUSE(r, RV_ERR_NOMEM, "%s: reading the layers", r->kit->path);
    instrument->layer = grown;
    grown[instrument->layers - 1] =
        (drum_layer){ .line = line, .max = 1, .gain = 1, .component = -1 };
}

static void XMLCALL on_start(void *user, const XML_Char *name, const XML_Char **attributes)
{
    (void)attributes;
    reader *r = user;
    place there = NOWHERE;
    if (r->status != RV_OK)
        return;
    if (r->depth + 1 == DEPTH_MAX)
        REFUSE(r, RV_ERR_FORMAT, "%s:%lu: elements are nested more than %d deep", HERE(r),
               DEPTH_MAX - 1);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        if (places[i].in == r->stack[r->depth] && strcmp(places[i].name, name) == 0)
            there = places[i].there;
    }
    if (r->depth == 0 && there != KIT)
        REFUSE(r, RV_ERR_FORMAT, "%s:%lu: <%s>; expected <drumkit_info>, the start of a drum kit",
               HERE(r), rv_show(name, strlen(name)).text);
    r->stack[++r->depth] = there;
    r->length = 0;
    if (there == COMPONENT)
        begin_component(r);
    if (there == INSTRUMENT)
        begin_instrument(r);
    if (there == LAYER)
        begin_layer(r, XML_GetCurrentLineNumber(r->xml));
    if (there == PART) {
        r->part = (drum_component){ .id = -1, .volume = 1 };
        r->part_from = last_instrument(r)->layers;
    }
}

static void XMLCALL on_text(void *user, const XML_Char *text, int n)
{
    reader *r = user;
    if (r->length > TEXT_MAX || (size_t)n > TEXT_MAX - r->length) {
        r->length = TEXT_MAX + 1;
        return;
    }
    memcpy(r->text + r->length, text, (size_t)n);
    r->length += (size_t)n;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The text without the space around it. */
static char *trimmed(reader *r)
{
    char *text = r->text;
    while (r->length > 0 && is_space(text[r->length - 1]))
        r->length--;
    text[r->length] = 0;
    while (is_space(*text))
        text++;
    return text;
}

static void set_text(reader *r, char **to, const char *text)
{
    char *copy = strdup(text);
    if (!copy)
        REFUSE(r, RV_ERR_NOMEM, "%s: reading names", r->kit->path);
    free(*to);
    *to = copy;
}

/* Older programs wrote the comma of their locale. */
static void set_number(reader *r, const field *f, double *to, char *text)
{
    const rv_shown shown = rv_show(text, strlen(text));
    char *comma = strchr(text, ',');
    double value;
    if (comma)
        *comma = '.';
    if (!rv_number(text, strlen(text), &value) || !(value >= f->min && value <= f->max))
        REFUSE(r, RV_ERR_FORMAT, "%s:%lu: <%s> is \"%s\"; expected a number from %g to %g", HERE(r),
               f->name, shown.text, f->min, f->max);
    *to = value;
}

/* Hydrogen's "VELOCITY" is the first of the layers that hold it. */
static drum_selection selection_of(const char *text)
{
    return strcmp(text, "ROUND_ROBIN") == 0 ? DRUM_IN_TURN
           : strcmp(text, "RANDOM") == 0    ? DRUM_AT_RANDOM
                                            : DRUM_FIRST;
}

static void set_field(reader *r, const field *f, void *object)
{
    char *const at = (char *)object + f->offset;
    if (r->length > TEXT_MAX)
        REFUSE(r, RV_ERR_FORMAT, "%s:%lu: <%s> is longer than %d bytes", HERE(r), f->name,
               TEXT_MAX);
    char *text = trimmed(r);
    if (f->type == TEXT)
        set_text(r, (char **)(void *)at, text);
    else if (f->type == TRUTH)
        *(bool *)at = strcmp(text, "true") == 0 || strcmp(text, "1") == 0;
    else if (f->type == SELECTION)
        *(drum_selection *)(void *)at = selection_of(text);
    else if (*text)
        set_number(r, f, (double *)(void *)at, text);
}

static void *object_of(reader *r, place where)
{
    switch (where) {
    case KIT:
        return r->kit;
    case COMPONENT:
        return &r->kit->component[r->kit->components - 1];
    case INSTRUMENT:
        return last_instrument(r);
    case PART:
        return &r->part;
    default:
        return last_layer(r);
    }
}

static bool stays_inside(const char *file)
{
    if (*file == '/' || *file == 0)
        return false;
    for (const char *part = file; part; part = strchr(part, '/')) {
        part += *part == '/';
        if (strncmp(part, "..", 2) == 0 && (part[2] == '/' || part[2] == 0))
            return false;
    }
    return true;
}

static void end_layer(reader *r)
{
    const drum_layer *layer = last_layer(r);
    if (!layer->file)
        REFUSE(r, RV_ERR_FORMAT, "%s:%lu: a <layer> without <filename>", r->kit->path, layer->line);
    if (!stays_inside(layer->file))
        REFUSE(r, RV_ERR_FORMAT, "%s:%lu: the sample \"%s\" is not in the folder of the kit",
               r->kit->path, layer->line, rv_show(layer->file, strlen(layer->file)).text);
    if (layer->min > layer->max)
        REFUSE(r, RV_ERR_FORMAT, "%s:%lu: a <layer> with <min> %g above <max> %g", r->kit->path,
               layer->line, layer->min, layer->max);
}

static void end_part(reader *r)
{
    drum_instrument *instrument = last_instrument(r);
    for (size_t i = r->part_from; i < instrument->layers; i++) {
        instrument->layer[i].component = r->part.id;
        instrument->layer[i].gain *= r->part.volume;
    }
}

/* A sample without layers becomes one. */
static void end_instrument(reader *r)
{
    drum_instrument *instrument = last_instrument(r);
    if (instrument->layers > 0 || !instrument->file || !*instrument->file)
        return;
    begin_layer(r, instrument->line);
    if (r->status != RV_OK)
        return;
    last_layer(r)->file = instrument->file;
    instrument->file = NULL;
    end_layer(r);
}

static void XMLCALL on_end(void *user, const XML_Char *name)
{
    reader *r = user;
    if (r->status != RV_OK)
        return;
    const place left = r->stack[r->depth--], in = r->stack[r->depth];
    if (left == LAYER)
        end_layer(r);
    if (left == PART)
        end_part(r);
    if (left == INSTRUMENT)
        end_instrument(r);
    for (size_t i = 0; left == NOWHERE && i < sizeof fields / sizeof *fields; i++) {
        if (fields[i].in == in && strcmp(fields[i].name, name) == 0)
            set_field(r, &fields[i], object_of(r, in));
    }
    r->length = 0;
}

static void XMLCALL on_doctype(void *user, const XML_Char *name, const XML_Char *system,
                               const XML_Char *public, int internal)
{
    (void)name;
    (void)system;
    (void)public;
    (void)internal;
    reader *r = user;
    REFUSE(r, RV_ERR_FORMAT, "%s:%lu: a DOCTYPE; drum kits have none, and entities are not read",
           HERE(r));
}

/* Volumes of the kit's components go into the layers. */
static void apply_components(rv_drum_kit *k)
{
    for (size_t i = 0; i < k->instruments; i++) {
        for (size_t l = 0; l < k->instrument[i].layers; l++) {
            drum_layer *layer = &k->instrument[i].layer[l];
            for (size_t c = 0; c < k->components; c++) {
                if (k->component[c].id == layer->component)
                    layer->gain *= k->component[c].volume;
            }
        }
    }
}

rv_status rv_drum_xml_read(rv_drum_kit *k, const char *text, size_t size, rv_error *err)
{
    reader r = { .kit = k, .xml = XML_ParserCreate(NULL), .err = err, .stack = { DOCUMENT } };
    if (!r.xml)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: reading XML", k->path);
    XML_SetUserData(r.xml, &r);
    XML_SetElementHandler(r.xml, on_start, on_end);
    XML_SetCharacterDataHandler(r.xml, on_text);
    XML_SetStartDoctypeDeclHandler(r.xml, on_doctype);
    const enum XML_Status parsed = XML_Parse(r.xml, text ? text : "", (int)size, 1);
    if (parsed != XML_STATUS_OK && r.status == RV_OK)
        r.status = RV_FAIL(err, RV_ERR_FORMAT, "%s:%lu: %s", HERE(&r),
                           XML_ErrorString(XML_GetErrorCode(r.xml)));
    XML_ParserFree(r.xml);
    if (r.status == RV_OK)
        apply_components(k);
    return r.status;
}
