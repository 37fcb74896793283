//! The page of all accounts when there are hundreds or thousands.

use fantoccini::key::Key;
use paird_testkit::until;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    desk::Desk,
    window::{self, Window},
};

/// Runs before the page's own scripts: notes the frame that shows the first rows, and long tasks.
const WATCH: &str = "
    window.first = 0;
    window.long = [];
    new MutationObserver((_, observer) => {
        if (!document.querySelector('.account')) return;
        observer.disconnect();
        requestAnimationFrame(() => setTimeout(() => (window.first = performance.now())));
    }).observe(document, { subtree: true, childList: true });
    new PerformanceObserver((list) => {
        for (const { duration } of list.getEntries()) window.long.push(Math.round(duration));
    }).observe({ type: 'longtask' });";

/// Stands in for the browser's own, which a headless one does not show.
const BELL: &str = "
    window.asked = 0;
    window.told = [];
    window.Notification = class {
        static permission = 'default';
        static async requestPermission() {
            window.asked += 1;
            return (this.permission = 'granted');
        }
        constructor(title, { body }) { window.told.push([title, body]); }
    };";

/// The page's own part of a first paint within a second.
const FIRST_ROWS_MS: f64 = 500.0;
/// From there on, people notice that a page does not answer.
const LONG_TASK_MS: f64 = 50.0;

#[tokio::test(flavor = "multi_thread")]
async fn five_thousand_accounts_show_in_a_second_and_stay_fluid() {
    if !window::is_wanted() {
        return;
    }
    let desk = Desk::open().await;
    let (web, window) = (&desk.stage.web, &desk.window);
    desk.crowd(5000).await;
    window.before_each_page(WATCH).await;
    // How long it takes by the clock is the daemon's and the machine's, too: that is told, not asserted.
    let mut loads = Vec::new();
    window.busy_ms().await;
    for _ in 0..5 {
        desk.go("/").await;
        window.see(".account").await;
        let shown = until("the first frame", || async { window.number("window.first").await.filter(|ms| *ms > 0.0) });
        let shown = shown.await;
        // It is counted anew with each page.
        loads.push((window.busy_ms().await, shown));
    }
    eprintln!("first rows: the page's processor time and the time by the clock, in ms: {loads:.0?}");
    assert!(loads.iter().all(|(busy, _)| *busy < FIRST_ROWS_MS), "{loads:.0?}");
    window.says("[data-fact=total]", "5000 accounts").await;
    assert_eq!(window.text(".tile[data-status=held] b").await, "50");
    let rows = window.number("document.querySelectorAll('.account').length").await.unwrap();
    let elements = window.number("document.querySelectorAll('*').length").await.unwrap();
    assert!(rows < 60.0 && elements < 2000.0, "{rows} rows, {elements} elements");
    window.assert_rows(5000).await;

    // 200 changes, which the stream sends at once.
    let mut down = 50;
    let (mut most, mut clean) = (0.0_f64, Vec::new());
    for (from, to, reason) in
        [("connected", "reconnecting", "socket_lost: closed"), ("reconnecting", "connected", "connected")].repeat(5)
    {
        let sql = "UPDATE whatsapp_accounts SET status = $2, status_reason = $3, status_since = now() WHERE id IN (
                       SELECT id FROM whatsapp_accounts WHERE status = $1 AND status_reason NOT LIKE 'proxy%'
                       ORDER BY created_at DESC LIMIT 200)";
        down = if to == "connected" { down - 200 } else { down + 200 };
        let begun = window.busy_ms().await;
        window.run("window.long.length = 0", vec![]).await;
        assert_eq!(web.sql.execute(sql, &[&from, &to, &reason]).await.unwrap(), 200);
        window.wait_for_tile("reconnecting", down).await;
        clean.push(window.run("return window.long", vec![]).await);
        most = most.max(window.busy_ms().await - begun);
    }
    eprintln!("200 changes: at most {most:.0} ms of the page's processor time; long tasks by round: {clean:?}");
    assert!(most < LONG_TASK_MS, "{most} ms");
    assert!(clean.contains(&json!([])), "a long task with each 200 changes: {clean:?}");

    // As a wheel does it; before that a window's height at a time, so that every row is a new one.
    let mut most = 0.0_f64;
    for _ in 0..50 {
        let begun = window.busy_ms().await;
        let step = "const done = arguments[0];
                    scrollBy(0, innerHeight);
                    requestAnimationFrame(() => requestAnimationFrame(() => done(scrollY)))";
        window.page.execute_async(step, vec![]).await.unwrap();
        most = most.max(window.busy_ms().await - begun);
    }
    window.assert_rows(5000).await;
    window.run("scrollTo(0, 0); window.long.length = 0", vec![]).await;
    let begun = window.busy_ms().await;
    let wheel = json!({ "x": 600, "y": 500, "yDistance": -12_000, "speed": 4000, "gestureSourceType": "mouse" });
    window.devtools("Input.synthesizeScrollGesture", wheel).await;
    let ms = window.busy_ms().await - begun;
    let long = window.run("return window.long", vec![]).await;
    eprintln!("scrolling: at most {most:.0} ms a window; 12,000 px in 3 s: {ms:.0} ms; long tasks: {long}");
    // A leap is two tasks: rows in sight, then those around them.
    assert!(most < 2.0 * LONG_TASK_MS, "{most} ms");
    assert!(ms < 2000.0, "{ms} ms for 3 s of scrolling");
    assert!(window.number("scrollY").await.unwrap() > 11_000.0);
    window.assert_rows(5000).await;

    // To the very end, and to one of them.
    window.run("scrollTo(0, 1e9)", vec![]).await;
    window.see(".account[aria-rowindex='5001']").await;
    window.fill("input[type=search]", "0660 / 800 4321").await;
    until("one row", || async { (window.texts(".name a").await == ["Store 4321"]).then_some(()) }).await;
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_address_has_the_filters_and_back_finds_the_place() {
    if !window::is_wanted() {
        return;
    }
    let desk = Desk::open().await;
    let window = &desk.window;
    desk.crowd(1000).await;
    window.says("[data-fact=total]", "1000 accounts").await;
    window.click(".tile[data-status=connected]").await;
    window.click(".tile[data-status=held]").await;
    window.says("[data-fact=total]", "990 of 1000 accounts").await;
    window.click("[data-panel=proxy]").await;
    window.click("#panel-proxy [data-value='socks5://10.0.0.7:1080']").await;
    window.click("#panel-proxy [data-value='socks5://10.0.0.8:1080']").await;
    window.press(&[Key::Escape]).await;
    window.click("[data-column=name] button").await;
    window.click("[data-column=name] button").await;
    window.fill("input[type=search]", "store").await;
    let address =
        "?q=store&status=connected&status=held&proxy=socks5://10.0.0.7:1080&proxy=socks5://10.0.0.8:1080&sort=-name";
    window.address_is(address).await;
    window.says("[data-fact=total]", "90 of 1000 accounts").await;
    assert_eq!(window.text(".account:first-child .name").await, "Store 988");

    // What is not in the list yet is in the next one, too: everything is in the address.
    desk.go(&format!("/{address}")).await;
    window.says("[data-fact=total]", "90 of 1000 accounts").await;
    assert_eq!(window.run("return document.querySelector('input[type=search]').value", vec![]).await, json!("store"));
    assert_eq!(window.text("[data-column=name][aria-sort=descending]").await, "Name");

    // To an account far down, and back.
    window.run("scrollTo(0, 2000)", vec![]).await;
    let at_the_edge = "return [...document.querySelectorAll('.account')]
        .find((row) => row.getBoundingClientRect().top >= document.querySelector('thead').getBoundingClientRect().bottom - 1)
        ?.querySelector('a').innerText";
    let place = until("rows further down", || async {
        let first = window.run(at_the_edge, vec![]).await;
        (first.is_string() && first != json!("Store 988")).then_some(first)
    })
    .await;
    let in_sight = "const row = [...document.querySelectorAll('.account')]
        .find((row) => row.getBoundingClientRect().top > innerHeight / 2);
        return row.dataset.account";
    let opened = window.run(in_sight, vec![]).await;
    let opened = format!("[data-account='{}'] .name a", opened.as_str().unwrap());
    let label = window.text(&opened).await;
    window.click(&opened).await;
    window.says("h1", &label).await;
    window.page.back().await.unwrap();
    window.address_is(address).await;
    until("the place", || async { (window.run(at_the_edge, vec![]).await == place).then_some(()) }).await;
    let focused = "return document.activeElement.innerText";
    until("the row that was opened", || async { (window.run(focused, vec![]).await == json!(label)).then_some(()) })
        .await;

    // The account's own way back leads to the same.
    window.click(&opened).await;
    window.says("h1", &label).await;
    window.click("a.back").await;
    window.address_is(address).await;
    until("the place again", || async { (window.run(at_the_edge, vec![]).await == place).then_some(()) }).await;

    window.click("[data-action=show-all]").await;
    window.says("[data-fact=total]", "1000 accounts").await;
    window.address_is("?sort=-name").await;
    window.click("[data-panel=columns]").await;
    window.click("#panel-columns [data-value=proxy]").await;
    window.address_is("?sort=-name&columns=name,number,status,reason,since,proxy").await;
    window.says(".account .proxy", "socks5://10.0.0.").await;

    // Who is not logged in comes back to it, too.
    window.click("#logout").await;
    window.see("#token").await;
    desk.go("/?status=held").await;
    desk.log_in().await;
    window.address_is("?status=held").await;
    window.says("[data-fact=total]", "10 of 1000 accounts").await;
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_keyboard_alone_finds_selects_and_opens_accounts() {
    if !window::is_wanted() {
        return;
    }
    let desk = Desk::open().await;
    let window = &desk.window;
    desk.crowd(200).await;
    window.says("[data-fact=total]", "200 accounts").await;
    let focused = || async { window.run("return document.activeElement.innerText", vec![]).await };
    // Trouble first: held 7 and 107, reconnecting 8 and 108.
    window.write("j").await;
    assert_eq!(focused().await, json!("Store 7"));
    window.write("jj").await;
    assert_eq!(focused().await, json!("Store 8"));
    window.write("kx").await;
    window.press(&[Key::Down]).await;
    window.write("x").await;
    window.says(".bulk", "2 selected").await;
    let selected = "return [...document.querySelectorAll('[aria-selected=true] .name')].map((e) => e.innerText)";
    assert_eq!(window.run(selected, vec![]).await, json!(["Store 107", "Store 8"]));
    // One stop of Tab for the whole table.
    assert_eq!(
        window.run("return document.querySelectorAll('.account .name a[tabindex=\"0\"]').length", vec![]).await,
        json!(1)
    );

    // A hundred down: the row comes into sight, and with it the focus.
    window.write(&"j".repeat(100)).await;
    let visible = "const { top, bottom } = document.activeElement.closest('tr').getBoundingClientRect();
                   return top >= document.querySelector('thead').getBoundingClientRect().bottom - 1
                       && bottom <= document.querySelector('.bulk').getBoundingClientRect().top + 1";
    assert_eq!(window.run(visible, vec![]).await, json!(true));
    let down = focused().await;
    // Scrolled away, it keeps the focus.
    window.run("scrollTo(0, 0)", vec![]).await;
    until("the first rows", || async { (window.text(".account .name").await == "Store 7").then_some(()) }).await;
    assert_eq!(focused().await, down);

    window.write("?").await;
    window.says("dialog", "Next account").await;
    window.press(&[Key::Escape]).await;
    until("the dialog closed", || async { window.texts("dialog").await.is_empty().then_some(()) }).await;

    window.write("/").await;
    window.write("store 15 jkx?").await;
    assert_eq!(
        window.run("return document.querySelector('input[type=search]').value", vec![]).await,
        json!("store 15 jkx?"),
        "keys are letters there"
    );
    window.fill("input[type=search]", "Store 150").await;
    window.says("[data-fact=total]", "1 of 200 accounts").await;
    window.says(".bulk", "2 of them filtered out").await;
    window.press(&[Key::Escape]).await;
    window.run("document.activeElement.blur()", vec![]).await;
    window.write("j").await;
    window.press(&[Key::Enter]).await;
    window.says("h1", "Store").await;
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_are_deleted_and_one_that_fails_stays_selected() {
    if !window::is_wanted() {
        return;
    }
    let desk = Desk::open().await;
    let (web, window) = (&desk.stage.web, &desk.window);
    let mut accounts = Vec::new();
    for label in ["Attic", "Cellar", "Depot", "Garden"] {
        accounts.push(web.account(label).await);
    }
    let refusal = "CREATE FUNCTION refuse_the_cellar() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                       IF NEW.kind = 'account.delete' AND EXISTS (
                           SELECT FROM whatsapp_accounts WHERE id = NEW.account_id AND label = 'Cellar') THEN
                           RAISE 'the cellar is kept' USING ERRCODE = 'invalid_parameter_value';
                       END IF;
                       RETURN NEW;
                   END $$;
                   CREATE TRIGGER the_cellar_is_kept BEFORE INSERT ON commands
                       FOR EACH ROW EXECUTE FUNCTION refuse_the_cellar()";
    web.sql.batch_execute(refusal).await.unwrap();
    window.says("[data-fact=total]", "4 accounts").await;
    let pick = |account: &Uuid| format!("[data-account='{account}'] .pick label");
    for account in &accounts[..3] {
        window.click(&pick(account)).await;
    }
    window.says(".bulk", "3 selected").await;
    window.keep_pictures("fleet-selected").await;
    window.assert_accessible("fleet, some selected").await;

    // What does not suit anybody says so, and does nothing.
    window.click("[data-bulk=reconnect]").await;
    window.says("dialog [data-fact=left-out]", "3 of the 3 selected are left out").await;
    window.click("dialog [type=button]").await;
    until("the dialog closed", || async { window.texts("dialog").await.is_empty().then_some(()) }).await;
    window.says(".bulk", "3 selected").await;

    window.click("[data-bulk=delete]").await;
    window.says("dialog h2", "Delete 3 accounts?").await;
    window.says("dialog [data-fact=names]", "Attic, Cellar, Depot").await;
    window.says("dialog", "No phone is linked, so nothing changes on a phone").await;
    window.keep_pictures("dialog-several-delete").await;
    window.assert_accessible("fleet, delete several").await;
    window.click("dialog [type=submit]").await;
    window.says("dialog .wrong", "Type 3").await;
    window.fill("#sure", "3").await;
    window.press(&[Key::Enter]).await;
    window.see("dialog[data-state=over]").await;
    window.says("dialog [data-fact=progress]", "2 of 3 done, 1 failed. It stays selected.").await;
    let failed = format!(".lines [data-account='{}'][data-state=failed]", accounts[1]);
    window.says(&failed, "the cellar is kept").await;
    assert_eq!(window.texts(".lines [data-state=done]").await.len(), 2);
    window.keep_pictures("dialog-several-done").await;
    window.assert_accessible("fleet, several done").await;
    window.click("dialog [data-action=stop]").await;
    until("the rest", || async { (window.texts(".account .name").await == ["Cellar", "Garden"]).then_some(()) }).await;
    window.says(".bulk", "1 selected").await;
    assert_eq!(window.texts("[aria-selected=true] .name").await, ["Cellar"]);

    // Pairing needs a person for each: nothing starts before somebody is there.
    window.click(&pick(&accounts[3])).await;
    window.click("[data-bulk=pair]").await;
    window.says("dialog", "Nothing starts now").await;
    window.keep_pictures("dialog-several-pair").await;
    window.click("dialog [type=submit]").await;
    window.says("[data-fact=round]", "Account 1 of 2 to pair").await;
    window.says("h1", "Cellar").await;
    window.assert_accessible("pairing, one of several").await;
    window.click("[data-action=next]").await;
    window.says("[data-fact=round]", "Account 2 of 2 to pair").await;
    window.says("h1", "Garden").await;
    assert_eq!(web.count("SELECT count(*) FROM commands WHERE kind = 'account.pair'", &[]).await, 0);
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_is_usable_on_a_phone_and_hides_numbers() {
    if !window::is_wanted() {
        return;
    }
    let desk = Desk::open().await;
    let window = &desk.window;
    desk.crowd(300).await;
    let label = "A rather long name without any end ".repeat(5);
    desk.stage.web.account(label.trim()).await;
    window.says("[data-fact=total]", "301 accounts").await;
    let screen = json!({ "width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": true });
    window.devtools("Emulation.setDeviceMetricsOverride", screen).await;
    let fits = || async {
        let beyond = "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
        assert_eq!(window.run(beyond, vec![]).await, json!(0), "it has to be scrolled sideways");
    };
    fits().await;
    window.assert_rows(301).await;
    window.says(".account:first-child .state", "anned").await;
    window.click(".account:first-child .pick label").await;
    window.says(".bulk", "1 selected").await;
    fits().await;
    window.click("[data-action=select-all]").await;
    window.says(".bulk", "301 selected").await;
    window.click("[data-bulk=unpair]").await;
    window.says("dialog h2", "Unpair 300 accounts?").await;
    window.says("dialog", "300 phones keep “paird” under Linked devices").await;
    window.says("dialog [data-fact=left-out]", "1 of the 301 selected is left out: not linked").await;
    fits().await;
    window.click("dialog [type=button]").await;
    window.click("[data-action=select-none]").await;
    window.run("scrollTo(0, 6000)", vec![]).await;
    window.assert_rows(301).await;
    fits().await;

    // No number is anywhere on the page, nor in what opens from it.
    window.look_as_usual().await;
    window.run("scrollTo(0, 0)", vec![]).await;
    let shown = "return /4366080|436 608 0/.test(document.documentElement.outerHTML)";
    assert_eq!(window.run(shown, vec![]).await, json!(true));
    window.click("[data-action=hide-numbers]").await;
    until("hidden numbers", || async { (window.run(shown, vec![]).await == json!(false)).then_some(()) }).await;
    window.says(".account:first-child .number", "… 007").await;
    window.click(".account:first-child [data-action=menu]").await;
    window.click(".account:first-child [data-action=delete]").await;
    window.says("dialog", "On the phone … 007").await;
    assert_eq!(window.run(shown, vec![]).await, json!(false));
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn held_is_told_in_the_title_and_by_a_wanted_notification() {
    if !window::is_wanted() {
        return;
    }
    let desk = Desk::open().await;
    let (web, window) = (&desk.stage.web, &desk.window);
    window.before_each_page(BELL).await;
    desk.crowd(6).await;
    desk.go("/").await;
    window.says("[data-fact=total]", "6 accounts").await;
    let title = || async { window.run("return document.title", vec![]).await };
    let hold = |label: &'static str| async move {
        let sql = "UPDATE whatsapp_accounts SET status = 'held', status_reason = 'banned: 403' WHERE label = $1";
        assert_eq!(web.sql.execute(sql, &[&label]).await.unwrap(), 1);
    };
    assert_eq!(title().await, json!("Accounts · paird"));
    window.click("[data-panel=proxy]").await;
    window.keep_pictures("fleet-filter").await;
    window.assert_accessible("fleet, a filter").await;
    window.press(&[Key::Escape]).await;
    window.write("?").await;
    window.says("dialog", "Next account").await;
    window.assert_accessible("fleet, keys").await;
    window.press(&[Key::Escape]).await;
    hold("Store 1").await;
    until("the title", || async { (title().await == json!("(1) Accounts · paird")).then_some(()) }).await;
    assert_eq!(window.run("return [asked, told]", vec![]).await, json!([0, []]), "nobody was asked, nothing is told");

    window.click("[data-action=notify]").await;
    window.see("[data-action=notify][aria-pressed=true]").await;
    assert_eq!(window.run("return [asked, told]", vec![]).await, json!([1, []]));
    hold("Store 2").await;
    until("a notification", || async {
        (window.run("return told.map(([title]) => title)", vec![]).await == json!(["Store 2 is held"])).then_some(())
    })
    .await;
    window.click("[data-action=notify]").await;
    window.see("[data-action=notify][aria-pressed=false]").await;
    hold("Store 3").await;
    until("the title again", || async { (title().await == json!("(3) Accounts · paird")).then_some(()) }).await;
    assert_eq!(window.run("return [asked, told.length]", vec![]).await, json!([1, 1]));
    desk.close().await;
}

impl Desk {
    /// So many accounts that are run elsewhere, "Store 1" and so on: mostly connected, some in trouble.
    pub async fn crowd(&self, size: i32) {
        let sql = &self.stage.web.sql;
        let elsewhere = Uuid::new_v4();
        let process = "INSERT INTO processes (id, host, pid, version, pid_space, pid_birth, expires_at)
                       VALUES ($1, 'elsewhere', 1, '0', 'elsewhere', 1, now() + interval '1 hour')";
        sql.execute(process, &[&elsewhere]).await.unwrap();
        let rows = "INSERT INTO whatsapp_accounts
                        (operator_id, label, owner, fence, phone_number, last_phone_number, status, status_reason,
                         desired, proxy, created_at)
                    SELECT $1::uuid, 'Store ' || n, $2::uuid, 1, number, number, status, reason, 'paired',
                           'socks5://10.0.0.' || n % 20 || ':1080', now() - interval '1 day' + n * interval '1 second'
                    FROM generate_series(1, $3::integer) n,
                         LATERAL (SELECT (436608000000 + n)::text AS number,
                                         CASE n % 100 WHEN 7 THEN 'held' WHEN 8 THEN 'reconnecting'
                                                      ELSE 'connected' END AS status,
                                         CASE n % 100 WHEN 7 THEN 'temporary_ban: 402 code 101'
                                                      WHEN 8 THEN 'proxy_unreachable: refused'
                                                      ELSE 'connected' END AS reason) AS told";
        sql.execute(rows, &[&Uuid::from_u128(1), &elsewhere, &size]).await.unwrap();
    }
}

impl Window {
    /// Runs in each page that is opened from now on, before its own scripts.
    async fn before_each_page(&self, script: &str) {
        self.devtools("Page.addScriptToEvaluateOnNewDocument", json!({ "source": script })).await;
    }

    /// The value of an expression, if it is a number.
    async fn number(&self, expression: &str) -> Option<f64> {
        self.run(&format!("return {expression}"), vec![]).await.as_f64()
    }

    async fn address_is(&self, search: &str) {
        until(&format!("the address {search}"), || async {
            (self.run("return location.search", vec![]).await == json!(search)).then_some(())
        })
        .await;
    }

    /// The processor time of the page's thread so far, from the first call on: whatever else the machine does, this is
    /// the page's own. If it is less than a long task's between two moments, there was no long task.
    async fn busy_ms(&self) -> f64 {
        self.devtools("Performance.enable", json!({ "timeDomain": "threadTicks" })).await;
        let answer = self.devtools("Performance.getMetrics", json!({})).await;
        let metrics = answer["metrics"].as_array().unwrap();
        metrics.iter().find(|each| each["name"] == "TaskDuration").unwrap()["value"].as_f64().unwrap() * 1000.0
    }

    /// Waits in the page itself: looking again and again would keep it busy.
    async fn wait_for_tile(&self, status: &str, count: i32) {
        let script = "const [status, count, done] = arguments;
            const look = () => document.querySelector(`.tile[data-status=${status}] b`).textContent === count && done();
            new MutationObserver(() => look()).observe(document.querySelector('.tiles'),
                { subtree: true, childList: true, characterData: true });
            look()";
        self.page.execute_async(script, vec![json!(status), json!(count.to_string())]).await.unwrap();
    }

    /// The rows in the document are those in sight, in one piece, each of the same height, numbered among all.
    async fn assert_rows(&self, all: usize) {
        let script = "const rows = [...document.querySelectorAll('.account:not(.away)')].map((row) => {
                const { top, height } = row.getBoundingClientRect();
                return [Number(row.ariaRowIndex), Math.round(top), height];
            });
            const [, , height] = rows[0];
            const foot = rows.at(-1)[1] + height;
            const end = document.querySelector('.accounts').getBoundingClientRect().bottom;
            return {
                count: document.querySelector('.fleet').getAttribute('aria-rowcount'),
                steps: rows.slice(1).every(([index, top], at) => index === rows[at][0] + 1 && top === rows[at][1] + height),
                covers: rows[0][1] <= innerHeight && foot >= Math.min(innerHeight, end) - 1,
            }";
        let expected = json!({ "count": (all + 1).to_string(), "steps": true, "covers": true });
        until(&format!("the rows in sight of {all}"), || async {
            let rows: Value = self.run(script, vec![]).await;
            (rows == expected).then_some(())
        })
        .await;
    }
}
