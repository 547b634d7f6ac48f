// A plugin in C++: what it has before main, threads, a map, exceptions that do
// not leave it, and a request_rec.
#include <condition_variable>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>

#include "httpd.h"
#include "http_log.h"

#include "websocket_plugin.h"

namespace {

const std::map<std::string, int> numbers = {{"one", 1}, {"two", 2}, {"three", 3}};

// Session answers on a thread of its own.
class Session {
public:
    explicit Session(const WebSocketServer *server) : server(server), thread([this] { run(); }) {}

    ~Session()
    {
        {
            std::lock_guard<std::mutex> lock(mutex);
            ends = true;
        }
        changed.notify_one();
        thread.join();
    }

    void ask(std::string text)
    {
        std::unique_lock<std::mutex> lock(mutex);
        changed.wait(lock, [this] { return asked.empty(); });
        asked = std::move(text);
        changed.notify_all();
    }

private:
    void run()
    {
        std::unique_lock<std::mutex> lock(mutex);
        for (;;) {
            changed.wait(lock, [this] { return ends || !asked.empty(); });
            if (ends)
                return;
            std::string text = answer(asked);
            asked.clear();
            changed.notify_all();
            server->send(server, MESSAGE_TYPE_TEXT, reinterpret_cast<const unsigned char *>(text.data()), text.size());
        }
    }

    static std::string answer(const std::string &name)
    {
        std::ostringstream text;
        try {
            text << name << " is " << numbers.at(name);
        } catch (const std::out_of_range &) {
            text << name << " is unknown";
        }
        return text.str();
    }

    const WebSocketServer *server;
    std::mutex mutex;
    std::condition_variable changed;
    std::string asked; // guarded by mutex; empty: nothing
    bool ends = false; // guarded by mutex
    std::thread thread;
};

void *CALLBACK on_connect(const WebSocketServer *server)
{
    request_rec *r = server->request(server);
    server->header_set(server, "X-Uri", r->uri);
    return new Session(server);
}

size_t CALLBACK on_message(void *session, const WebSocketServer *, const int, unsigned char *buffer, const size_t size)
{
    static_cast<Session *>(session)->ask(std::string(reinterpret_cast<char *>(buffer), size));
    return size;
}

void CALLBACK on_disconnect(void *session, const WebSocketServer *server)
{
    std::unique_ptr<Session> ended(static_cast<Session *>(session));
    ended.reset();
    ap_log_rerror(__FILE__, __LINE__, APLOG_NO_MODULE, APLOG_NOTICE, 0, server->request(server), "C++ session ended, %d numbers",
                  static_cast<int>(numbers.size()));
}

WebSocketPlugin plugin = {sizeof(WebSocketPlugin), WEBSOCKET_PLUGIN_VERSION_0, nullptr, on_connect, on_message, on_disconnect};

} // namespace

extern "C" EXPORT WebSocketPlugin *CALLBACK plusplus_init(void) { return &plugin; }
