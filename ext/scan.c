/* twistedvoice._scan: what is done with every frame that a carrier sends, in C.
 *
 * Two functions, each exactly what its namesake in Python does: pure_take_text in
 * twistedvoice/web/receive.py and pure_usual_media in
 * twistedvoice/carriers/twilio/dialect.py. Those are the reference; a change begins
 * there, and tests/test_scanning.py holds this file to them. Nothing is kept between
 * calls, and only the stable interface of Python 3.11 is used.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <string.h>

/* Unmask length bytes. Returns whether all of them are ASCII then. */
static int
unmask(const uint8_t *from, const uint8_t *mask, uint8_t *to, Py_ssize_t length)
{
    uint64_t key, word, seen = 0;
    Py_ssize_t i = 0;

    memcpy(&key, mask, 4);
    memcpy((uint8_t *)&key + 4, mask, 4);
    for (; length - i >= 8; i += 8) {
        memcpy(&word, from + i, 8);
        word ^= key;
        seen |= word;
        memcpy(to + i, &word, 8);
    }
    for (; i < length; i++) {
        to[i] = from[i] ^ mask[i % 4];
        seen |= to[i];
    }
    return (seen & UINT64_C(0x8080808080808080)) == 0;
}

/* A pair of two references, both of which it takes over; either may be NULL. */
static PyObject *
pair(PyObject *first, PyObject *second)
{
    PyObject *made = first && second ? PyTuple_Pack(2, first, second) : NULL;

    Py_XDECREF(first);
    Py_XDECREF(second);
    return made;
}

/* The text of the frame at data, or NULL when there is none to take. */
static PyObject *
text_of(const uint8_t *data, Py_ssize_t size, Py_ssize_t most, Py_ssize_t *frame)
{
    Py_ssize_t length, body = 6;
    uint8_t *to;
    PyObject *text;

    if (size < 6 || data[0] != 0x81 || data[1] <= 0x80 || data[1] > 0x80 + 126)
        return NULL;
    length = data[1] - 0x80;
    if (length == 126) {
        length = data[2] << 8 | data[3];
        body = 8;
        if (length < 126)
            return NULL;
    }
    /* A size of 6 or 7 is too short for any length from 126 up. */
    if (size - body < length || length > most)
        return NULL;
    text = PyBytes_FromStringAndSize(NULL, length);
    if (text == NULL)
        return NULL;
    to = (uint8_t *)PyBytes_AsString(text);
    if (!unmask(data + body, data + body - 4, to, length)) {
        Py_DECREF(text);
        return NULL;
    }
    *frame = body + length;
    return text;
}

static PyObject *
take_text(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    char *data;
    Py_ssize_t size, start, most, frame = 0;
    PyObject *text = NULL;

    (void)module;
    if (count != 3) {
        PyErr_SetString(PyExc_TypeError, "take_text(data, start, most)");
        return NULL;
    }
    if (PyBytes_AsStringAndSize(args[0], &data, &size) < 0)
        return NULL;
    start = PyLong_AsSsize_t(args[1]);
    most = PyLong_AsSsize_t(args[2]);
    if (PyErr_Occurred())
        return NULL;
    if (start >= 0 && start < size)
        text = text_of((const uint8_t *)data + start, size - start, most, &frame);
    if (text == NULL && !PyErr_Occurred())
        text = PyBytes_FromStringAndSize("", 0);
    return pair(text, PyLong_FromSsize_t(start + frame));
}

/* Go past a text. Returns whether it stood there. */
static int
skip(const uint8_t **at, const uint8_t *stop, const char *text, Py_ssize_t length)
{
    if (stop - *at < length || memcmp(*at, text, length) != 0)
        return 0;
    *at += length;
    return 1;
}

#define SKIP(at, stop, text) skip(at, stop, text, sizeof(text) - 1)

/* Go past one to twelve digits. Returns how many there were: 0 is none. */
static int
digits(const uint8_t **at, const uint8_t *stop, long long *number)
{
    int found = 0;

    *number = 0;
    while (found < 12 && *at < stop && **at >= '0' && **at <= '9') {
        *number = *number * 10 + (*(*at)++ - '0');
        found++;
    }
    return found;
}

#define NO 64
static const uint8_t VALUES[256] = {
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, 62, NO, NO, NO, 63,
    52, 53, 54, 55, 56, 57, 58, 59, 60, 61, NO, NO, NO, NO, NO, NO,
    NO, 0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14,
    15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, NO, NO, NO, NO, NO,
    NO, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
    41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
};

/* Decode size bytes of sound from base64 whose last group has them all. Returns
 * whether every letter was one; bits that the last letter has too many do not count,
 * as in binascii. */
static int
decode(const uint8_t *from, uint8_t *to, Py_ssize_t size)
{
    unsigned a, b, c, d, seen = 0;

    for (; size >= 3; size -= 3, from += 4) {
        a = VALUES[from[0]], b = VALUES[from[1]];
        c = VALUES[from[2]], d = VALUES[from[3]];
        seen |= a | b | c | d;
        *to++ = (uint8_t)(a << 2 | b >> 4);
        *to++ = (uint8_t)(b << 4 | c >> 2);
        *to++ = (uint8_t)(c << 6 | d);
    }
    if (size > 0) {
        a = VALUES[from[0]], b = VALUES[from[1]];
        seen |= a | b;
        *to++ = (uint8_t)(a << 2 | b >> 4);
        if (size == 2) {
            c = VALUES[from[2]];
            seen |= c;
            *to++ = (uint8_t)(b << 4 | c >> 2);
        }
    }
    return (seen & NO) == 0;
}

/* The sound of strict base64, or NULL when it is none, or longer than most. */
static PyObject *
sound_of(const uint8_t *from, Py_ssize_t length, Py_ssize_t most)
{
    Py_ssize_t size = length / 4 * 3;
    PyObject *sound;

    if (length % 4 != 0)
        return NULL;
    if (length > 0 && from[length - 1] == '=')
        size -= from[length - 2] == '=' ? 2 : 1;
    if (size > most)
        return NULL;
    sound = PyBytes_FromStringAndSize(NULL, size);
    if (sound && size && !decode(from, (uint8_t *)PyBytes_AsString(sound), size))
        Py_CLEAR(sound);
    return sound;
}

static PyObject *
usual_media(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    char *data, *end;
    Py_ssize_t size, end_size, most;
    const uint8_t *at, *stop;
    long long number, timestamp;
    PyObject *sound;

    (void)module;
    if (count != 3) {
        PyErr_SetString(PyExc_TypeError, "usual_media(data, end, most)");
        return NULL;
    }
    if (PyBytes_AsStringAndSize(args[0], &data, &size) < 0
        || PyBytes_AsStringAndSize(args[1], &end, &end_size) < 0)
        return NULL;
    most = PyLong_AsSsize_t(args[2]);
    if (PyErr_Occurred())
        return NULL;
    size -= end_size;
    if (size < 0 || memcmp(data + size, end, end_size) != 0)
        Py_RETURN_NONE;
    at = (const uint8_t *)data;
    stop = at + size;
    if (!SKIP(&at, stop, "{\"event\":\"media\",\"sequenceNumber\":\"")
        || !digits(&at, stop, &number)
        || !SKIP(&at, stop, "\",\"media\":{\"track\":\"inbound\",\"chunk\":\"")
        || !digits(&at, stop, &number)
        || !SKIP(&at, stop, "\",\"timestamp\":\"")
        || !digits(&at, stop, &timestamp)
        || !SKIP(&at, stop, "\",\"payload\":\""))
        Py_RETURN_NONE;
    sound = sound_of(at, stop - at, most);
    if (sound)
        return pair(sound, PyLong_FromLongLong(timestamp));
    if (PyErr_Occurred())
        return NULL;
    Py_RETURN_NONE;
}

static PyMethodDef METHODS[] = {
    {"take_text", (PyCFunction)(void (*)(void))take_text, METH_FASTCALL,
     "take_text(data, start, most): as twistedvoice.web.receive.pure_take_text."},
    {"usual_media", (PyCFunction)(void (*)(void))usual_media, METH_FASTCALL,
     "usual_media(data, end, most): as pure_usual_media of Twilio's dialect."},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot SLOTS[] = {{0, NULL}};

static struct PyModuleDef DEFINITION = {
    PyModuleDef_HEAD_INIT, "_scan", "Scans what carriers send.", 0,
    METHODS, SLOTS, NULL, NULL, NULL,
};

PyMODINIT_FUNC
PyInit__scan(void)
{
    return PyModuleDef_Init(&DEFINITION);
}
